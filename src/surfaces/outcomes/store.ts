/** Outcomes → `amended` entries, once each. An outcome id is the tenant's own and names one body for ever. */
import type { OutcomeMeta } from "../../kernel/decision.ts";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { DecisionId } from "../../kernel/ids.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { EntryDraft } from "../../ledger/port.ts";
import type { OutcomeSent } from "./decode-outcomes.ts";
import type { DecisionFacts, OutcomePorts } from "./port.ts";
import { RecentOutcomes } from "./recent-outcomes.ts";

export interface StoredOutcome {
  decision_id: DecisionId;
  outcome_id: string;
  /** False where the same outcome was stored before. */
  stored: boolean;
}

/** What has been looked up about one outcome before anything is written. */
interface Checked {
  sent: OutcomeSent;
  useCase: string;
  digest: string;
  earlier: string | undefined;
}

export class OutcomeStore {
  readonly #ports: OutcomePorts;
  readonly #recent: RecentOutcomes;

  constructor(ports: OutcomePorts) {
    this.#ports = ports;
    this.#recent = new RecentOutcomes(ports.clock);
  }

  /** All or nothing; resolves when everything it calls stored, now or before, is on disk. */
  async store(principal: Principal, outcomes: readonly OutcomeSent[]): Promise<StoredOutcome[] | Refusal> {
    const decisions = await this.#decisionsOf(outcomes);
    const checked: Checked[] = [];
    for (const sent of outcomes) {
      const useCase = useCaseOf(principal, sent, decisions.get(sent.decision));
      if (isRefusal(useCase)) return useCase;
      checked.push({ sent, useCase, digest: this.#ports.digest(canonical(sent)), earlier: undefined });
    }
    await Promise.all(
      checked.map(async (one) => {
        one.earlier = await this.#ports.known(principal.tenant, one.sent.outcomeId);
      }),
    );
    // From here to the last append nothing awaits: two requests with one outcome id can't both find it new.
    const conflict = this.#conflictIn(principal.tenant, checked);
    if (conflict) return conflict;
    return this.#write(principal, checked);
  }

  async #decisionsOf(outcomes: readonly OutcomeSent[]): Promise<Map<DecisionId, DecisionFacts | undefined>> {
    const ids = [...new Set(outcomes.map((sent) => sent.decision))];
    return new Map(await Promise.all(ids.map(async (id) => [id, await this.#ports.decisionOf(id)] as const)));
  }

  #conflictIn(tenant: string, checked: readonly Checked[]): Refusal | undefined {
    const inBatch = new Map<string, string>();
    for (const { sent, digest, earlier } of checked) {
      const standing = this.#recent.find(tenant, sent.outcomeId)?.digest ?? earlier ?? inBatch.get(sent.outcomeId);
      if (standing !== undefined && standing !== digest)
        return refuse("outcome_conflict", `${sent.path}outcome_id: another outcome with this id is already stored.`, {
          param: `${sent.path}outcome_id`,
        });
      inBatch.set(sent.outcomeId, digest);
    }
    return undefined;
  }

  async #write(principal: Principal, checked: readonly Checked[]): Promise<StoredOutcome[] | Refusal> {
    const { tenant } = principal;
    const waits: (Promise<void> | undefined)[] = [];
    const answers: StoredOutcome[] = [];
    try {
      for (const { sent, useCase, digest, earlier } of checked) {
        const recent = this.#recent.find(tenant, sent.outcomeId);
        const stored = recent === undefined && earlier === undefined;
        if (stored) {
          const appended = this.#ports.journal.append(this.#entryOf(principal, sent, useCase, digest));
          this.#recent.remember(tenant, sent.outcomeId, digest, appended.durable());
        }
        waits.push(this.#recent.find(tenant, sent.outcomeId)?.durable);
        answers.push({ decision_id: sent.decision, outcome_id: sent.outcomeId, stored });
      }
      await Promise.all(waits);
    } catch (fault) {
      // What had been appended before stands; the client's repetition finds it and adds the rest.
      await Promise.allSettled(waits);
      if ((fault as { code?: unknown } | null)?.code !== "record_unavailable") throw fault;
      return refuse("record_unavailable", undefined, { retryAfterMs: 2000 });
    }
    return answers;
  }

  #entryOf(
    { tenant, type, id, credential }: Principal,
    sent: OutcomeSent,
    useCase: string,
    digest: string,
  ): EntryDraft {
    const meta: OutcomeMeta = {
      amends: "outcome",
      use_case: useCase,
      outcome_id: sent.outcomeId,
      label: sent.label,
      ...(sent.value !== undefined && { value: sent.value }),
      observed_at_ms: sent.observedAtMs ?? this.#ports.clock.now(),
      digest,
      principal: { type, id, credential },
    };
    const content = { key: { tenant }, value: { note: this.#ports.scrub(sent.note ?? "") } };
    return { kind: "amended", tenant, decision: sent.decision, meta, ...(sent.note !== undefined && { content }) };
  }
}

/** Another tenant's decision, or one of another environment, is as unknown as one that never was. */
function useCaseOf(principal: Principal, sent: OutcomeSent, decision: DecisionFacts | undefined): string | Refusal {
  const param = `${sent.path}decision_id`;
  if (!decision || decision.tenant !== principal.tenant || decision.environment !== principal.environment)
    return refuse("unknown_decision", `${param}: there is no such decision for this key.`, { param });
  const { use_case } = decision;
  if (principal.use_cases.includes("*") || principal.use_cases.includes(use_case)) return use_case;
  return refuse("use_case_not_allowed", `${param}: this key has no right to the use case "${use_case}".`, { param });
}

/** Everything that makes two outcomes the same, whatever order or time zone it was written in. */
const canonical = ({ decision, outcomeId, label, value, observedAtMs, note }: OutcomeSent): string =>
  JSON.stringify([decision, outcomeId, label, value ?? null, observedAtMs ?? null, note ?? null]);
