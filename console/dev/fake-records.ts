/** Made-up decisions of a bank, drawn from a seed: the same history on every start, so that pictures can be compared. */
import type {
  AttemptMeta,
  BegunMeta,
  GuardVerdict,
  RouteReason,
  SettledContent,
  SettledMeta,
} from "../../src/kernel/decision.ts";
import type { DecisionDetail, DecisionRow } from "../src/api/types.ts";

export type Draw = () => number;

/** mulberry32 */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

export function fakeId(prefix: string, draw: Draw, atMs: number): string {
  let head = "";
  for (let time = atMs, i = 0; i < 10; i++, time = Math.floor(time / 32)) head = alphabet[time % 32] + head;
  let tail = "";
  for (let i = 0; i < 16; i++) tail += alphabet[Math.floor(draw() * 32)];
  return `${prefix}_${head}${tail}`;
}

export const hex = (draw: Draw, length: number): string =>
  Array.from({ length }, () => Math.floor(draw() * 16).toString(16)).join("");

const pick = <T>(draw: Draw, from: readonly T[]): T => from[Math.floor(draw() * from.length)]!;
/** Log-normal around a median: how latencies fall. */
const spread = (draw: Draw, median: number, sigma: number): number =>
  median * Math.exp(sigma * Math.sqrt(-2 * Math.log(draw() + 1e-12)) * Math.cos(2 * Math.PI * draw()));
const round3 = (value: number): number => Math.round(value * 1000) / 1000;

export interface FakeDecision {
  row: DecisionRow;
  detail: DecisionDetail;
  content: SettledContent | undefined;
}

const creditThresholds = [
  { when: "score >= 0.72", result: "approve" },
  { when: "score <= 0.35", result: "decline" },
  { when: "true", result: "refer" },
];

type Plan = Pick<
  SettledMeta,
  "state" | "status" | "route" | "guards" | "reasons" | "stages" | "cache" | "usage" | "automation"
> &
  Partial<SettledMeta> & { useCase: "credit" | "assistant" | "triage"; drawn: AttemptMeta[]; content?: SettledContent };

export function fakeDecision(draw: Draw, atMs: number, sequence: number): FakeDecision {
  const roll = draw();
  const plan = roll < 0.62 ? creditPlan(draw, atMs) : roll < 0.88 ? assistantPlan(draw, atMs) : triagePlan(draw, atMs);
  return assembleFake(draw, atMs, sequence, plan);
}

function attempt(
  n: number,
  rung: number,
  more: Partial<AttemptMeta> & Pick<AttemptMeta, "model" | "target" | "region">,
): AttemptMeta {
  return {
    n,
    rung,
    arm: "champion",
    probability: 1,
    status: "ok",
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    price: "none",
    cost_nano_usd: 0 as AttemptMeta["cost_nano_usd"],
    held_nano_usd: 0 as AttemptMeta["held_nano_usd"],
    started_at_ms: 0,
    duration_ms: 1,
    ...more,
  };
}

function applicant(draw: Draw): Record<string, number | string | null> {
  return {
    Seniority: Math.floor(draw() * 28),
    Home: pick(draw, ["owner", "rent", "parents", "priv", "other"]),
    Time: pick(draw, [24, 36, 48, 60]),
    Records: draw() < 0.17 ? "yes" : "no",
    Job: pick(draw, ["fixed", "fixed", "freelance", "partime", "others"]),
    Expenses: 35 + Math.floor(draw() * 90),
    Income: draw() < 0.09 ? null : 60 + Math.floor(draw() * 240),
    Assets: Math.floor(draw() * 14) * 1000,
    Debt: draw() < 0.8 ? 0 : Math.floor(draw() * 3000),
    Amount: 300 + Math.floor(draw() * 40) * 50,
    Price: 600 + Math.floor(draw() * 2400),
  };
}

function creditPlan(draw: Draw, atMs: number): Plan {
  const serveMs = round3(spread(draw, 0.42, 0.35));
  const features = applicant(draw);
  const score = Math.min(
    0.995,
    Math.max(
      0.012,
      0.78 + 0.3 * Math.tanh((spread(draw, 1, 0.5) - 1) * 0.9) - (draw() < 0.27 ? 0.25 + draw() * 0.45 : draw() * 0.08),
    ),
  );
  const result = score >= 0.72 ? "approve" : score <= 0.35 ? "decline" : "refer";
  const stages = {
    identify: round3(spread(draw, 0.012, 0.3)),
    admit: round3(spread(draw, 0.055, 0.3)),
    reserve: round3(spread(draw, 0.006, 0.3)),
    route: round3(spread(draw, 0.014, 0.3)),
    serve: serveMs,
    judge: round3(spread(draw, 0.02, 0.3)),
    settle: round3(spread(draw, 1.1, 0.4)),
  };
  if (draw() < 0.028) return creditRefusal(draw, stages);
  const canary = draw() < 0.1;
  const fellBack = draw() < 0.02;
  const route: RouteReason[] = [
    { rung: 0, target: "in-process/onnx", eligible: true, reason: "eligible", detail: "slot scorecard" },
    { rung: 1, target: "in-process/rules", eligible: true, reason: "eligible" },
    { rung: 2, target: "refer:underwriters", eligible: true, reason: "eligible" },
  ];
  const main = attempt(1, 0, {
    slot: "scorecard",
    arm: canary ? "canary" : "champion",
    probability: canary ? 0.1 : 0.9,
    model: canary ? "scorecard-8" : "scorecard-7",
    target: "in-process/onnx",
    region: "onprem",
    started_at_ms: atMs + 0.09,
    duration_ms: serveMs,
    ...(fellBack ? { status: "timeout" as const, reason: "deadline" } : {}),
  });
  const drawn = fellBack
    ? [
        main,
        attempt(2, 1, {
          model: "baseline",
          target: "in-process/rules",
          region: "onprem",
          started_at_ms: atMs + 0.6,
          duration_ms: 0.03,
        }),
      ]
    : [main];
  return {
    useCase: "credit",
    state: result === "refer" ? "referred" : "answered",
    status: 200,
    stages,
    route,
    drawn,
    guards: [],
    score: Math.round(score * 1e6) / 1e6,
    confidence: Math.round(Math.abs(score - 0.5) * 2 * 1e4) / 1e4,
    thresholds: creditThresholds,
    rule: result === "approve" ? 0 : result === "decline" ? 1 : 2,
    result,
    reasons: creditReasons(features, result),
    automation: result === "refer" ? "assisted" : "auto",
    cache: { status: "off" },
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    record: "full",
    ...(result === "refer" ? { refer_to: "underwriters" } : {}),
    release: { slot: "scorecard", bundle: "9f2c41e07ab3" },
    content: { features },
  };
}

function creditReasons(features: Record<string, number | string | null>, result: string): SettledMeta["reasons"] {
  const reasons: SettledMeta["reasons"] = [];
  if (features["Records"] === "yes")
    reasons.push({ basis: "rule", name: "payment_defaults", text: "Earlier payment defaults are on record." });
  if (features["Income"] === null)
    reasons.push({ basis: "rule", name: "income_missing", text: "The applicant stated no income." });
  if (Number(features["Seniority"]) < 2)
    reasons.push({ basis: "rule", name: "short_seniority", text: "Less than two years in the present job." });
  if (Number(features["Amount"]) > 0.8 * Number(features["Price"]))
    reasons.push({ basis: "rule", name: "high_financing", text: "More than 80 % of the price is financed." });
  reasons.push({
    basis: "policy",
    name: `decide.${result}`,
    text: result === "refer" ? "The score lies between the thresholds." : `The score meets the rule for ${result}.`,
  });
  return reasons;
}

function creditRefusal(draw: Draw, stages: SettledMeta["stages"]): Plan {
  const [code, status] = pick(draw, [
    ["consent_required", 403],
    ["invalid_input", 422],
    ["invalid_input", 422],
    ["rate_limited", 429],
  ] as const);
  return {
    useCase: "credit",
    state: "refused",
    status,
    code,
    refused_before_begin: true,
    stages: {
      identify: stages.identify ?? 0,
      admit: stages.admit ?? 0,
      ...(code === "rate_limited" ? { reserve: 0.004 } : {}),
      settle: 0.9,
    },
    route: [],
    drawn: [],
    guards: [],
    reasons: [],
    automation: "auto",
    cache: { status: "off" },
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    record: "full",
  };
}

const questions = [
  [
    "What does early repayment of my car loan cost?",
    "early-repayment.md",
    "You may repay a consumer loan early at any time. The fee is at most 1 % of the amount repaid early, or 0.5 % when less than a year remains.",
  ],
  [
    "Can I pause a monthly instalment?",
    "payment-holidays.md",
    "After twelve months on schedule you can postpone up to two instalments a year. Interest accrues during the pause.",
  ],
  [
    "Which papers do I need for a mortgage?",
    "mortgage-documents.md",
    "Bring proof of identity, the last three payslips, the land register extract and the draft purchase contract.",
  ],
] as const;

function assistantPlan(draw: Draw, atMs: number): Plan {
  const [question, source, answer] = pick(draw, questions);
  const input = 380 + Math.floor(draw() * 900);
  const output = 60 + Math.floor(draw() * 260);
  const cost = (input * 250 + output * 2000) as AttemptMeta["cost_nano_usd"];
  const ttft = round3(spread(draw, 210, 0.35));
  const serveMs = round3(ttft + output * spread(draw, 6.5, 0.15));
  const redacted = draw() < 0.18;
  const guards: GuardVerdict[] = [
    {
      guard: "pii",
      on: "input",
      verdict: redacted ? "modify" : "allow",
      action: redacted ? "redact" : "allow",
      findings: redacted ? { iban: 1, email: 1 } : {},
    },
    { guard: "pii", on: "passages", verdict: "allow", action: "allow", findings: {} },
    { guard: "pii", on: "output", verdict: "allow", action: "allow", findings: {} },
  ];
  const route: RouteReason[] = [
    {
      rung: 0,
      target: "local/qwen3:8b",
      eligible: false,
      reason: "vendor_closed",
      detail: "breaker open since 14:02:11",
    },
    {
      rung: 1,
      target: "openai/gpt-5.4",
      eligible: !redacted,
      reason: redacted ? "data_class_not_allowed" : "eligible",
      ...(redacted ? { detail: "personal exceeds the agreement of openai (internal)" } : {}),
    },
    { rung: 2, target: "in-process/extractive", eligible: true, reason: "eligible" },
    { rung: 3, target: "template", eligible: true, reason: "eligible" },
  ];
  const common = {
    useCase: "assistant" as const,
    route,
    guards,
    reasons: [],
    automation: "auto" as const,
    record: "redacted" as const,
    retrieval: {
      collection: "policies",
      generation: "gen_0007",
      passages: [
        { source: `policies/${source}`, score: 11.42 },
        { source: "policies/fees.md", score: 6.03 },
        { source: "policies/contact.md", score: 2.17 },
      ],
    },
    content: {
      messages: [{ role: "user", parts: [{ type: "text", text: question }] }],
      answer: { parts: [{ type: "text", text: answer }] },
      citations: [
        {
          source: `policies/${source}`,
          title: source.replace(".md", "").replaceAll("-", " "),
          start: 120,
          end: 120 + answer.length,
          text: answer,
        },
      ],
    },
  };
  const before = {
    identify: 0.013,
    admit: 0.041,
    reserve: 0.007,
    screen: round3(spread(draw, 0.09, 0.4)),
    route: 0.02,
    recall: 0.031,
  };
  if (draw() < 0.22) return { ...common, ...cached(draw), stages: { ...before, settle: 0.06 } };
  if (redacted) {
    const quick = round3(spread(draw, 3.2, 0.3));
    return {
      ...common,
      state: "answered",
      status: 200,
      result: "answer",
      stages: { ...before, ground: 1.2, serve: quick, check: 0.1, judge: 0.01, settle: 0.05 },
      cache: { status: "miss" },
      usage: { input: 0, cached_input: 0, output: 0, estimated: false },
      drawn: [
        attempt(1, 2, {
          model: "extractive",
          target: "in-process/extractive",
          region: "onprem",
          started_at_ms: atMs + 2,
          duration_ms: quick,
        }),
      ],
    };
  }
  return {
    ...common,
    ...vendorOutcome(draw, atMs, { input, output, cost, ttft, serveMs }),
    stages: {
      ...before,
      ground: round3(spread(draw, 1.3, 0.3)),
      serve: serveMs,
      check: 0.21,
      judge: 0.01,
      settle: 0.05,
    },
    cache: { status: "miss" },
  };
}

function cached(draw: Draw): Pick<Plan, "state" | "status" | "result" | "cache" | "usage" | "drawn"> {
  return {
    state: "answered",
    status: 200,
    result: "answer",
    cache: { status: "hit", from: fakeId("dec", draw, Date.now() - 240_000) as never },
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    drawn: [],
  };
}

interface VendorCall {
  input: number;
  output: number;
  cost: AttemptMeta["cost_nano_usd"];
  ttft: number;
  serveMs: number;
}

function vendorOutcome(
  draw: Draw,
  atMs: number,
  call: VendorCall,
): Pick<Plan, "state" | "status" | "usage" | "drawn"> & Partial<Plan> {
  const usage = { input: call.input, cached_input: 0, output: call.output, estimated: false };
  const place = {
    model: "gpt-main",
    target: "openai/gpt-5.4",
    region: "us",
    price: "openai/gpt-5.4@2026-09-01",
    held_nano_usd: (call.cost * 3) as AttemptMeta["held_nano_usd"],
  };
  const good = attempt(1, 1, {
    ...place,
    usage,
    cost_nano_usd: call.cost,
    started_at_ms: atMs + 3,
    duration_ms: call.serveMs,
    ttft_ms: call.ttft,
  });
  const roll = draw();
  if (roll < 0.05) {
    const limited = attempt(1, 1, {
      ...place,
      status: "failed",
      reason: "http_429",
      started_at_ms: atMs + 3,
      duration_ms: call.serveMs * 0.3,
    });
    const second = { ...good, n: 2, started_at_ms: atMs + 3 + call.serveMs * 0.34, duration_ms: call.serveMs * 0.64 };
    return { state: "answered", status: 200, result: "answer", usage, ttft_ms: call.ttft, drawn: [limited, second] };
  }
  if (roll < 0.075) {
    const failing = [1, 2, 3].map((n) =>
      attempt(n, 1, {
        ...place,
        status: "failed",
        reason: n === 2 ? "connect_refused" : "http_503",
        started_at_ms: atMs + 3 + n * 200,
        duration_ms: 180,
      }),
    );
    return {
      state: "failed",
      status: 502,
      code: "ladder_exhausted",
      usage: { ...usage, input: 0, output: 0 },
      drawn: failing,
    };
  }
  if (roll < 0.095)
    return {
      state: "interrupted",
      status: 499,
      code: "client_gone",
      usage: { ...usage, output: Math.floor(call.output / 3), estimated: true },
      ttft_ms: call.ttft,
      delivered: { frames: 31, bytes: 4120, complete: false },
      drawn: [{ ...good, status: "aborted", usage: { ...usage, estimated: true } }],
    };
  return { state: "answered", status: 200, result: "answer", usage, ttft_ms: call.ttft, drawn: [good] };
}

function triagePlan(draw: Draw, atMs: number): Plan {
  const input = 180 + Math.floor(draw() * 300);
  const output = 12 + Math.floor(draw() * 20);
  const serveMs = round3(spread(draw, 160, 0.4));
  const blocked = draw() < 0.06;
  const usage = { input, cached_input: 64, output, estimated: false };
  const base = {
    useCase: "triage" as const,
    reasons: [],
    automation: "auto" as const,
    cache: { status: "bypass" as const },
    record: "digest" as const,
  };
  const guards: GuardVerdict[] = [
    {
      guard: "secrets",
      on: "input",
      verdict: blocked ? "deny" : "allow",
      action: blocked ? "block" : "allow",
      findings: blocked ? { api_key: 1 } : {},
      ...(blocked ? { reason: "a secret was found" } : {}),
    },
  ];
  if (blocked)
    return {
      ...base,
      state: "refused",
      status: 403,
      code: "input_blocked",
      guards,
      stages: { identify: 0.01, admit: 0.03, reserve: 0.005, screen: 0.12, settle: 0.05 },
      route: [],
      drawn: [],
      usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    };
  const done = attempt(1, 0, {
    model: "qwen-small",
    target: "local/qwen3:8b",
    region: "onprem",
    usage,
    cost_nano_usd: (input * 20 + output * 60) as never,
    held_nano_usd: 40_000 as never,
    price: "local/qwen3:8b@2026-05-01",
    started_at_ms: atMs + 0.3,
    duration_ms: serveMs,
    ttft_ms: serveMs * 0.7,
  });
  return {
    ...base,
    state: "answered",
    status: 200,
    result: "answer",
    guards,
    usage,
    ttft_ms: serveMs * 0.7,
    stages: {
      identify: 0.01,
      admit: 0.03,
      reserve: 0.005,
      screen: 0.07,
      route: 0.015,
      serve: serveMs,
      judge: 0.01,
      settle: 0.05,
    },
    route: [{ rung: 0, target: "local/qwen3:8b", eligible: true, reason: "eligible" }],
    drawn: [done],
  };
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
