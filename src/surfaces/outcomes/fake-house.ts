/** For tests: the real server with the outcomes routes over a journal, a projection and decisions that the test holds. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "../../kernel/clock.ts";
import type { OutcomeMeta } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { newDecisionId } from "../../kernel/ids.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { EntryDraft } from "../../ledger/port.ts";
import { createGatewayServer } from "../gateway/index.ts";
import { type DecisionFacts, outcomeRoutes } from "./index.ts";

const principal = (id: string, more: Partial<Principal> = {}): Principal => ({
  type: "service",
  id,
  credential: `kid_${id}`,
  tenant: "bank",
  environment: "dev",
  use_cases: ["credit"],
  purposes: [],
  groups: [],
  ...more,
});
const keys: Record<string, Principal> = {
  good: principal("good"),
  narrow: principal("narrow", { use_cases: ["assistant"] }),
  stranger: principal("stranger", { tenant: "shop", use_cases: ["*"] }),
  tester: principal("tester", { environment: "test" }),
};

interface Answer {
  status: number;
  contentType: string | null;
  decisionId: string | null;
  body: {
    outcomes?: { decision_id: string; outcome_id: string; stored: boolean }[];
    code?: string;
    detail?: string;
    param?: string;
  };
}

const ids = new VirtualClock();
export const decision = newDecisionId(ids);
export const otherDecision = newDecisionId(ids);
export const unknownDecision = newDecisionId(ids);
export const repaid = { decision_id: decision, outcome_id: "loan-1", label: "repaid" };

/** A journal whose disk obeys the test. */
class FakeJournal {
  entries: EntryDraft[] = [];
  /** Refuses appends from this many entries on. */
  roomFor = Infinity;
  #waiting: { resolve: () => void; reject: (fault: unknown) => void }[] | undefined;

  append(draft: EntryDraft) {
    if (this.entries.length >= this.roomFor) throw unavailable();
    this.entries.push(structuredClone(draft));
    const waiting = this.#waiting;
    const durable = waiting
      ? new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
      : Promise.resolve();
    return { seq: this.entries.length - 1, durable: () => durable };
  }
  /** From here on nothing reaches the disk. */
  hold() {
    this.#waiting = [];
  }
  release(fault?: unknown) {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { resolve, reject } of waiting) {
      if (fault === undefined) resolve();
      else reject(fault);
    }
  }
  meta = (i: number) => this.entries[i]!.meta as OutcomeMeta;
}

export const unavailable = () => Object.assign(new Error("the journal is closed"), { code: "record_unavailable" });

export interface House {
  clock: VirtualClock;
  journal: FakeJournal;
  counted: Refusal[];
  faults: unknown[];
  /** Digests that the projection knows, by `tenant/outcome_id`. */
  projected: Map<string, string>;
  decisions: Map<string, DecisionFacts>;
  post(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export async function openHouse(): Promise<House> {
  const clock = new VirtualClock();
  const journal = new FakeJournal();
  const facts = { tenant: "bank", use_case: "credit", environment: "dev", state: "answered" };
  const counted: Refusal[] = [];
  const faults: unknown[] = [];
  const projected = new Map<string, string>();
  const decisions = new Map<string, DecisionFacts>([decision, otherDecision].map((id) => [id, facts]));
  const gateway = {
    clock,
    decide: () => Promise.reject(new Error("outcomes make no decisions")),
    countRefusal: (refusal: Refusal) => void counted.push(refusal),
    report: (fault: unknown) => void faults.push(fault),
    draining: () => false,
    maxBodyBytes: 32 * 2 ** 20,
  };
  const routes = outcomeRoutes(gateway, {
    clock,
    journal,
    identify: (credential) =>
      credential === undefined ? refuse("unauthenticated") : (keys[credential] ?? refuse("invalid_key")),
    decisionOf: async (id) => decisions.get(id),
    known: async (tenant, outcomeId) => projected.get(`${tenant}/${outcomeId}`),
    digest: (data) => createHash("sha256").update(data).digest("hex"),
    scrub: (text) => text.replace(/\b\d{3}\b/g, "[…]"),
  });
  const { server } = createGatewayServer(gateway, { routes });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/outcomes`;
  async function post(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: "Bearer good", "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return {
      status: response.status,
      contentType: response.headers.get("content-type"),
      decisionId: response.headers.get("x-weir-decision-id"),
      body: (await response.json()) as Answer["body"],
    };
  }
  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  return { clock, journal, counted, faults, projected, decisions, post, close };
}
