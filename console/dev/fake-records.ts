/** Made-up decisions of a bank, drawn from a seed: the same history on every start, so that pictures can be compared. */
import type { AttemptMeta, BegunMeta, SettledContent, SettledMeta } from "../../src/kernel/decision.ts";
import type { DecisionDetail, DecisionRow } from "../src/api/types.ts";
import { fakeId, hex, round3, type Draw } from "./fake-draw.ts";
import type { Plan } from "./fake-plan.ts";
import { creditPlan } from "./fake-credit.ts";
import { assistantPlan, triagePlan } from "./fake-chats.ts";

export interface FakeDecision {
  row: DecisionRow;
  detail: DecisionDetail;
  content: SettledContent | undefined;
}

export function fakeDecision(draw: Draw, atMs: number, sequence: number): FakeDecision {
  const roll = draw();
  const plan = roll < 0.62 ? creditPlan(draw, atMs) : roll < 0.88 ? assistantPlan(draw, atMs) : triagePlan(draw, atMs);
  return assembleFake(draw, atMs, sequence, plan);
}

const useCaseFacts = {
  credit: {
    kind: "score",
    risk: "high",
    data_class: "personal",
    purpose: "credit-check",
    basis: "contract",
    principal: { type: "service", id: "svc-loan-origination", credential: "kid_7f3a91" },
    surface: "decisions",
    bundle: "9f2c41e07ab3d58815c04e6b",
  },
  assistant: {
    kind: "chat",
    risk: "limited",
    data_class: "internal",
    purpose: "support",
    basis: "legitimate-interest",
    principal: { type: "service", id: "svc-web-chat", credential: "kid_22c0de" },
    surface: "openai",
    bundle: "41ab90ee7f3302dd1b8a5c97",
  },
  triage: {
    kind: "chat",
    risk: "minimal",
    data_class: "internal",
    purpose: "mail-routing",
    basis: "legitimate-interest",
    principal: { type: "agent", id: "agent-mailroom", credential: "kid_c41f08" },
    surface: "anthropic",
    bundle: "c7730b15d2e94410aa6f8e21",
  },
} as const;

function assembleFake(draw: Draw, atMs: number, sequence: number, plan: Plan): FakeDecision {
  const facts = useCaseFacts[plan.useCase];
  const id = fakeId("dec", draw, atMs);
  const durationMs = round3(Object.values(plan.stages).reduce((sum, ms) => sum + ms, 0) + 0.09);
  const cost = plan.drawn.reduce((sum, { cost_nano_usd: nano }) => sum + nano, 0);
  const answering = plan.drawn.findLast(({ status }) => status === "ok");
  const begun = {
    use_case: plan.useCase,
    kind: facts.kind,
    environment: "dev" as const,
    surface: facts.surface,
    principal: facts.principal,
    purpose: facts.purpose,
    basis: facts.basis,
    ...(plan.useCase === "credit"
      ? { consent: "consent:2026-11/4411", subject: `sub_${hex(draw, 12)}` }
      : { session: `ses_${hex(draw, 8)}` }),
    risk: facts.risk,
    data_class: facts.data_class,
    snapshot: { number: 12, hash: "b81d5f0c9e4477a2d3306c1199e0f4a75fd2283b6de1c00fb94ab7d25a1f6e30" },
    bundle: facts.bundle,
    stream: plan.ttft_ms !== undefined,
    ...(plan.useCase === "credit" ? { synthetic: true as const } : {}),
  };
  const { useCase: _, drawn, content, ...settledPart } = plan;
  const settled: SettledMeta = {
    ...begun,
    ...settledPart,
    started_at_ms: atMs,
    duration_ms: durationMs,
    attempts: drawn.length,
    ...(answering ? { model: answering.model, rung: answering.rung } : {}),
    cost_nano_usd: cost as SettledMeta["cost_nano_usd"],
    digests: { request: hex(draw, 64), answer: hex(draw, 64) },
    record: plan.record ?? "redacted",
  };
  return {
    row: rowOf(id, settled),
    detail: detailOf(draw, id, sequence, begun, settled, drawn, content !== undefined),
    content,
  };
}

function rowOf(id: string, settled: SettledMeta): DecisionRow {
  const { code, result, score, model, rung, ttft_ms: ttft, subject } = settled;
  return {
    decision_id: id,
    at_ms: settled.started_at_ms,
    use_case: settled.use_case,
    kind: settled.kind,
    tenant: "retail",
    environment: settled.environment,
    principal_id: settled.principal.id,
    credential: settled.principal.credential,
    ...(subject === undefined ? {} : { subject }),
    state: settled.state,
    status: settled.status,
    ...(code === undefined ? {} : { code }),
    ...(result === undefined ? {} : { result }),
    ...(score === undefined ? {} : { score }),
    ...(model === undefined ? {} : { model }),
    ...(rung === undefined ? {} : { rung }),
    attempts: settled.attempts,
    cache: settled.cache.status,
    guards_hit: settled.guards.filter(({ verdict }) => verdict !== "allow").length,
    duration_ms: settled.duration_ms,
    ...(ttft === undefined ? {} : { ttft_ms: ttft }),
    cost_nano_usd: settled.cost_nano_usd,
    input_tokens: settled.usage.input,
    output_tokens: settled.usage.output,
    risk: settled.risk,
    data_class: settled.data_class,
    automation: settled.automation,
    ...(settled.synthetic ? { synthetic: true } : {}),
    stream: settled.stream,
  };
}

function detailOf(
  draw: Draw,
  id: string,
  sequence: number,
  begun: BegunMeta,
  settled: SettledMeta,
  attempts: AttemptMeta[],
  contentAvailable: boolean,
): DecisionDetail {
  const kinds = [...(settled.refused_before_begin ? [] : ["begun"]), ...attempts.map(() => "attempt"), "settled"];
  const entries = kinds.map((kind, index) => ({
    node: "node-1",
    seq: sequence * 5 + index,
    at_ms: settled.started_at_ms + (kind === "begun" ? 0 : Math.round(settled.duration_ms)),
    kind,
    leaf_hash: hex(draw, 64),
  }));
  const amended = settled.use_case === "credit" && settled.result === "approve" && draw() < 0.5;
  if (amended)
    entries.push({
      node: "node-1",
      seq: sequence * 5 + 40,
      at_ms: settled.started_at_ms + 90_000,
      kind: "amended",
      leaf_hash: hex(draw, 64),
    });
  return {
    decision_id: id,
    tenant: "retail",
    ...(settled.refused_before_begin ? {} : { begun }),
    attempts,
    settled,
    amendments: amended
      ? [
          {
            seq: sequence * 5 + 40,
            node: "node-1",
            at_ms: settled.started_at_ms + 90_000,
            meta: {
              amends: "outcome",
              use_case: settled.use_case,
              outcome_id: "out_2291",
              label: "contract_signed",
              observed_at_ms: settled.started_at_ms + 88_000,
              principal: settled.principal,
            },
          },
        ]
      : [],
    entries,
    content_available: contentAvailable && settled.record !== "digest",
    checkpoint: { size: sequence * 5 + 60, at_ms: settled.started_at_ms + 900 },
  };
}
