/** Queries, bodies and answers about what runs: targets, routes, money, limits, cache, alerts. */
import { z } from "zod";
import { priorityClasses } from "../../kernel/snapshot.ts";
import { costDimensions, costRanges } from "../../projection/index.ts";
import { dataClass, kind, risk, routeReason } from "./record-schemas.ts";
import { reason, word } from "./words.ts";

const nanoUsd = z.number().int().describe("Nano-USD.");
const waiting = z.object(
  Object.fromEntries(priorityClasses.map((name) => [name, z.number()])) as Record<
    (typeof priorityClasses)[number],
    z.ZodNumber
  >,
);

const capacity = z.object({
  limit: z.number().describe("Calls at once that the target serves without queueing, as learned."),
  running: z.number(),
  waiting,
});

const targetState = z.object({
  breaker: z.enum(["closed", "open", "half-open"]),
  open: z.boolean().describe("False where a call would be turned away."),
  ejected: z.boolean(),
  for_ms: z.number().optional().describe("Until probes are let through, or the ejection ends."),
  in_flight: z.number(),
  requests: z.number().describe("Of the last minute, as are failures."),
  failures: z.number(),
  consecutive_failures: z.number(),
  ttft_ms: z.number().optional().describe("Moving average, as are the other times."),
  total_ms: z.number().optional(),
  per_token_ms: z.number().optional(),
  output_tokens: z.number().optional(),
  cached_share: z.number().optional(),
  load_ms: z.number(),
  share: z.number().describe("Below 1 while it is brought back slowly."),
  retries_left: z.number(),
});

export const targets = z.object({
  at_ms: z.number(),
  targets: z.array(
    z.object({
      target: z.string(),
      vendor: z.string(),
      region: z.string(),
      models: z.array(z.string()),
      use_cases: z.array(z.string()),
      state: targetState,
      capacity: capacity.optional().describe("Absent before the first call."),
    }),
  ),
  vendors: z.array(
    z.object({
      name: z.string(),
      dialect: z.string(),
      region: z.string(),
      data_class: dataClass,
      keys: z
        .array(z.object({ id: z.string(), state: z.enum(["live", "cooling", "dead"]), for_ms: z.number().optional() }))
        .describe("Never with their secrets."),
    }),
  ),
  in_process: z.array(
    z.object({
      model: z.string(),
      runtime: z.string(),
      use_cases: z.array(z.string()),
      fault: z.string().optional().describe("Why it is not loaded."),
    }),
  ),
});

const overrideTarget = z
  .union([
    z.strictObject({ model: word }),
    z.strictObject({ vendor: word }),
    z.strictObject({ rung: z.number().int().min(1).max(9999).describe("Counts from 1.") }),
  ])
  .meta({ id: "OverrideTarget" });

const override = z
  .object({
    id: z.string(),
    act: z.enum(["force", "exclude"]),
    on: overrideTarget,
    use_case: z.string().optional().describe("Absent: every use case."),
    from_ms: z.number(),
    until_ms: z.number(),
    reason: z.string(),
    operator: z.object({ id: z.string(), name: z.string() }),
  })
  .meta({ id: "RouteOverride" });

export const overrides = z.object({ overrides: z.array(override) });
export const overrideBody = z.strictObject({
  act: z.enum(["force", "exclude"]),
  on: overrideTarget,
  use_case: word.optional(),
  for_minutes: z
    .number()
    .int()
    .min(1)
    .max(30 * 24 * 60),
  reason,
});
export const madeOverride = z.object({ override });

const cascade = z.object({
  rung: z.number(),
  model: z.string(),
  state: z.enum(["on", "off", "exploring"]),
  judged: z.number(),
  accepted: z.number().describe("Estimate of P(accepted)."),
  accepted_at_most: z.number().describe("Its 95 % upper credible bound."),
  c1_nano_usd: nanoUsd,
  c2_nano_usd: nanoUsd,
  break_even: z.number().optional().describe("c1/c2; absent where the next rung costs nothing."),
});

const member = z.object({
  model: z.string(),
  slot: z.string().optional(),
  target: z.string().optional().describe("Of a model at a vendor."),
  region: z.string().optional(),
  data_class: dataClass.optional(),
  weight: z.number().optional(),
  up_to_tokens: z.number().optional(),
  when: z.string().optional(),
});

const ladderRung = z.object({
  rung: z.number().describe("Counts from 0, as in records."),
  type: z.enum(["model", "pool", "refer", "template"]),
  strategy: z.string().optional(),
  when: z.string().optional(),
  commit: z.enum(["first-byte", "complete"]),
  accept: z
    .object({ schema: z.boolean(), confidence: z.number().optional(), abstains: z.boolean() })
    .optional()
    .describe("What an answer has to be so that the ladder is not climbed on."),
  members: z.array(member),
  refer_to: z.string().optional(),
});

const choices = z.object({
  decisions: z.number(),
  from_ms: z.number().optional(),
  choices: z.array(
    z.object({
      rung: z.number().optional(),
      model: z.string().optional(),
      decisions: z.number(),
      answered: z.number(),
      cache_hits: z.number(),
      cost_nano_usd: nanoUsd,
      mean_ms: z.number(),
    }),
  ),
});

export const routeOfUseCase = z.object({
  name: z.string(),
  kind,
  risk,
  data_class: dataClass,
  tenants: z.array(z.string()).describe("That may call it."),
  ladder: z.array(ladderRung),
  cascades: z.array(cascade),
  overrides: z.array(override),
  recent: choices.describe("Of the newest decisions, up to 2000."),
  reasons: z.object({
    looked_at: z.number().describe("Newest decisions whose records were read."),
    lines: z.array(
      z.object({ rung: z.number(), target: z.string(), reason: z.string(), eligible: z.boolean(), count: z.number() }),
    ),
  }),
});

export const whatIfQuery = z.strictObject({
  tenant: word,
  data_class: dataClass.optional().describe("Never below the use case's own."),
  input_tokens: z.coerce.number().int().min(0).max(250_000).default(200),
  tools: z.enum(["true", "false"]).default("false"),
  stream: z.enum(["true", "false"]).default("false"),
  latency: z.enum(["interactive", "relaxed"]).optional(),
});
export const whatIf = z.object({
  input_tokens: z.number().describe("As estimated, the use case's prompt included."),
  data_class: dataClass,
  regions: z.array(z.string()).describe("Empty: anywhere."),
  budget_level: z.enum(["ok", "warn", "degrade", "blocked"]),
  route: z.array(routeReason),
  order: z.array(z.object({ rung: z.number(), target: z.string() })).describe("In which they would be tried."),
  refusal: z.object({ code: z.string(), message: z.string() }).optional(),
});

const spend = z
  .object({
    decisions: z.number(),
    answered: z.number(),
    cache_hits: z.number(),
    estimated: z.number().describe("Decisions whose usage Weir counted because no vendor reported it."),
    estimated_nano_usd: nanoUsd,
    cost_nano_usd: nanoUsd,
    saved_nano_usd: nanoUsd.describe("What answers from the cache had cost when they were made."),
    input: z.number(),
    cached_input: z.number(),
    cache_write: z.number(),
    output: z.number().describe("Reasoning included."),
    reasoning: z.number(),
    audio_input: z.number(),
    audio_output: z.number(),
    image_output: z.number(),
  })
  .meta({ id: "Spend" });

export const costQuery = z.strictObject({
  range: z.enum(costRanges).default("24h"),
  by: z.enum(costDimensions).default("use_case"),
  tenant: word.optional(),
  use_case: word.optional(),
  model: word.optional(),
});
export const costs = z.object({
  range: z.enum(costRanges),
  by: z.enum(costDimensions),
  from_ms: z.number(),
  to_ms: z.number(),
  step_ms: z.number(),
  totals: spend,
  groups: z.array(
    z.object({
      name: z.string().describe("Empty where no model was called."),
      spend,
      series: z.array(z.object({ at_ms: z.number(), cost_nano_usd: nanoUsd })),
    }),
  ),
});

const scopeLevel = z.enum(["tenant", "use", "principal", "key"]);
export const budgets = z.object({
  held_nano_usd: nanoUsd.describe("Of all running attempts."),
  budgets: z.array(
    z.object({
      scope: z.string(),
      level: scopeLevel,
      per: z.enum(["hour", "day", "week", "month"]),
      amount_nano_usd: nanoUsd,
      spent_nano_usd: nanoUsd,
      held_nano_usd: nanoUsd,
      state: z.enum(["ok", "warn", "degrade", "blocked"]),
      at_limit: z.enum(["block", "warn"]),
      steps: z.array(z.object({ at: z.number(), do: z.enum(["warn", "degrade"]) })),
      ends_at_ms: z.number(),
    }),
  ),
});

const bucket = z.object({ left: z.number(), wait_ms: z.number().describe("Until one more would be let in.") });
export const limitsQuery = z.strictObject({ range: z.enum(["15m", "1h", "24h"]).default("1h") });
export const limits = z.object({
  at_ms: z.number(),
  running: z.number(),
  scopes: z.array(
    z.object({
      scope: z.string(),
      level: scopeLevel,
      requests_per_minute: z.number().optional(),
      tokens_per_minute: z.number().optional(),
      concurrency: z.number().optional(),
      now: z
        .object({ requests: bucket.optional(), tokens: bucket.optional(), running: z.number() })
        .optional()
        .describe("Absent where nothing was counted lately: everything is left."),
    }),
  ),
  levels_known: z.boolean().describe("False where this server can't say how full the buckets are."),
  targets: z.array(capacity.extend({ target: z.string() })),
  refusals: z.array(
    z.object({
      code: z.string(),
      tenant: z.string(),
      use_case: z.string(),
      principal_id: z.string(),
      count: z.number(),
      last_ms: z.number(),
    }),
  ),
});

export const cache = z.object({
  live: z
    .object({
      entries: z.number(),
      bytes: z.number(),
      hits: z.number(),
      misses: z.number(),
      saved_nano_usd: nanoUsd,
    })
    .describe("Of this process since its start."),
  use_cases: z
    .array(
      z.object({
        name: z.string(),
        exact_ttl_ms: z.number().optional().describe("Absent: the use case keeps no answers."),
        tags: z.array(z.string()),
        decisions: z.number(),
        cache_hits: z.number(),
        saved_nano_usd: nanoUsd,
      }),
    )
    .describe("Figures of the last 24 hours."),
});
export const invalidateBody = z
  .strictObject({ tenant: word.optional(), use_case: word.optional(), tag: word.optional(), reason })
  .describe("All that is named must fit; nothing named drops everything.");
export const invalidated = z.object({ dropped: z.number() });

export const alerts = z.object({
  alerts: z.array(
    z.object({
      fingerprint: z.string(),
      rule: z.string(),
      severity: z.enum(["info", "warning", "critical"]),
      state: z.enum(["firing", "resolved"]),
      silenced: z.boolean(),
      labels: z.record(z.string(), z.string()),
      summary: z.string(),
      value: z.number().optional(),
      threshold: z.number().optional(),
      since_ms: z.number(),
      resolved_ms: z.number().optional(),
    }),
  ),
});

export type Targets = z.infer<typeof targets>;
export type Overrides = z.infer<typeof overrides>;
export type RouteOfUseCase = z.infer<typeof routeOfUseCase>;
export type WhatIf = z.infer<typeof whatIf>;
export type CostsAnswer = z.infer<typeof costs>;
export type Budgets = z.infer<typeof budgets>;
export type LimitsAnswer = z.infer<typeof limits>;
export type CacheAnswer = z.infer<typeof cache>;
export type AlertsAnswer = z.infer<typeof alerts>;
