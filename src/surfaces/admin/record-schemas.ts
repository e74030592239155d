/** Parts of a record as the admin API answers them. The test beside it holds them to the kernel's types. */
import { z } from "zod";
import { dataClasses, decisionKinds, decisionStates, riskTiers, stageNames } from "../../kernel/decision.ts";
import { environments } from "../../kernel/principal.ts";

const counts = z.record(z.string(), z.number());
const usage = z.object({
  input: z.number(),
  cached_input: z.number(),
  output: z.number(),
  cache_write: z.number().optional(),
  cache_write_1h: z.number().optional(),
  audio_input: z.number().optional(),
  cached_audio_input: z.number().optional(),
  audio_output: z.number().optional(),
  image_output: z.number().optional(),
  reasoning: z.number().optional(),
  web_searches: z.number().optional(),
  search_units: z.number().optional(),
  service_class: z.enum(["standard", "flex", "priority", "batch"]).optional(),
  estimated: z.boolean(),
});
export const kind = z.enum(decisionKinds);
export const state = z.enum(decisionStates);
export const risk = z.enum(riskTiers);
export const dataClass = z.enum(dataClasses);
export const environment = z.enum(environments);
export const automation = z.enum(["auto", "assisted", "human"]);
export const cacheStatus = z.enum(["off", "miss", "hit", "follower", "bypass"]);

export const begunMeta = z
  .object({
    use_case: z.string(),
    kind,
    environment,
    surface: z.string(),
    principal: z.object({ type: z.string(), id: z.string(), credential: z.string() }),
    purpose: z.string().optional(),
    basis: z.string().optional(),
    consent: z.string().optional(),
    subject: z.string().optional(),
    session: z.string().optional(),
    risk,
    data_class: dataClass,
    snapshot: z.object({ number: z.number(), hash: z.string() }),
    bundle: z.string(),
    stream: z.boolean(),
    synthetic: z.literal(true).optional(),
    idempotency: z.object({ key: z.string(), body: z.string() }).optional(),
    trace: z.string().optional(),
  })
  .meta({ id: "BegunMeta" });

export const attemptMeta = z
  .object({
    n: z.number(),
    rung: z.number(),
    slot: z.string().optional(),
    arm: z.string(),
    probability: z.number(),
    model: z.string(),
    target: z.string(),
    region: z.string(),
    key: z.string().optional(),
    status: z.enum(["ok", "failed", "aborted", "timeout", "rejected", "unaffordable", "interrupted"]),
    reason: z.string().optional(),
    usage,
    price: z.string(),
    cost_nano_usd: z.number(),
    held_nano_usd: z.number(),
    started_at_ms: z.number(),
    duration_ms: z.number(),
    ttft_ms: z.number().optional(),
  })
  .meta({ id: "AttemptMeta" });

const guardVerdict = z.object({
  guard: z.string(),
  on: z.enum(["input", "output", "passages"]),
  verdict: z.enum(["allow", "deny", "modify", "error"]),
  action: z.enum(["allow", "redact", "block", "next-rung"]),
  findings: counts,
  reason: z.string().optional(),
});

export const routeReason = z.object({
  rung: z.number(),
  target: z.string(),
  eligible: z.boolean(),
  reason: z.string(),
  detail: z.string().optional(),
  pool: z
    .object({
      strategy: z.string(),
      place: z.number().optional(),
      figures: z.record(z.string(), z.number()).optional(),
    })
    .optional(),
  cascade: z
    .object({
      state: z.enum(["on", "off", "exploring"]),
      judged: z.number(),
      accepted: z.number(),
      accepted_at_most: z.number(),
      c1_nano_usd: z.number(),
      c2_nano_usd: z.number(),
      break_even: z.number().optional(),
    })
    .optional(),
  override: z.string().optional(),
});

const retrieval = z.object({
  collection: z.string(),
  generation: z.string(),
  passages: z.array(z.object({ source: z.string(), score: z.number() })),
});

export const settledMeta = begunMeta
  .extend({
    state,
    refused_before_begin: z.literal(true).optional(),
    code: z.string().optional(),
    status: z.number(),
    started_at_ms: z.number(),
    duration_ms: z.number(),
    ttft_ms: z.number().optional(),
    stages: z.partialRecord(z.enum(stageNames), z.number()),
    route: z.array(routeReason),
    attempts: z.number(),
    model: z.string().optional(),
    rung: z.number().optional(),
    cache: z.object({
      status: cacheStatus,
      from: z.string().optional(),
      saved_nano_usd: z.number().optional(),
    }),
    retrieval: retrieval.optional(),
    guards: z.array(guardVerdict),
    score: z.number().optional(),
    confidence: z.number().optional(),
    thresholds: z.array(z.object({ when: z.string(), result: z.string() })).optional(),
    rule: z.number().optional(),
    result: z.string().optional(),
    reasons: z.array(
      z.object({ basis: z.enum(["rule", "policy", "model"]), name: z.string(), text: z.string().optional() }),
    ),
    automation,
    usage,
    cost_nano_usd: z.number(),
    dropped: z.array(z.string()).optional(),
    trimmed: z.object({ tokens_before: z.number(), tokens_after: z.number(), turns_dropped: z.number() }).optional(),
    delivered: z.object({ frames: z.number(), bytes: z.number(), complete: z.boolean() }).optional(),
    digests: z.object({ request: z.string(), answer: z.string().optional() }).optional(),
    record: z.enum(["redacted", "full", "digest"]),
    release: z.object({ slot: z.string(), bundle: z.string() }).optional(),
    refer_to: z.string().optional(),
  })
  .meta({ id: "SettledMeta" });

export const settledContent = z
  .object({
    features: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])).optional(),
    messages: z.unknown().optional(),
    task: z.unknown().optional(),
    answer: z.unknown().optional(),
    citations: z.array(z.unknown()).optional(),
  })
  .meta({ id: "SettledContent" });
