/** Bodies, queries and answers of the admin API that are not parts of a record. */
import { z } from "zod";
import { errorKinds, type ErrorCode } from "../../kernel/errors.ts";
import { maxPasswordLength, minPasswordLength, roles } from "../../operators/index.ts";
import { entryKinds, overviewRanges } from "../../projection/index.ts";
import {
  attemptMeta,
  automation,
  begunMeta,
  cacheStatus,
  dataClass,
  environment,
  kind,
  risk,
  settledMeta,
  state,
} from "./record-schemas.ts";
import { reason, word } from "./words.ts";

const role = z.enum(roles);

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.enum(Object.keys(errorKinds) as [ErrorCode, ...ErrorCode[]]),
    fix: z.string(),
    param: z.string().optional(),
    decision_id: z.string().optional(),
  })
  .meta({ id: "Problem" });

export const session = z
  .object({
    operator: z.object({ id: z.string(), name: z.string(), roles: z.array(role) }),
    csrf: z.string().describe("Send it as x-weir-csrf on everything but GET."),
    environment,
    install: z.string(),
    version: z.string(),
    example: z.boolean(),
  })
  .meta({ id: "Session" });

export const passwordSignIn = z.strictObject({ name: word, password: z.string().max(maxPasswordLength) });
export const tokenSignIn = z.strictObject({ token: word });
export const acceptance = z.strictObject({
  token: word,
  password: z.string().max(maxPasswordLength).describe(`At least ${minPasswordLength} characters.`),
});

export const useCases = z.object({
  use_cases: z.array(
    z.object({
      name: z.string(),
      kind,
      risk,
      data_class: dataClass,
      owner: z.string().optional(),
      ladder: z.array(z.string()),
      bundle: z.string(),
      release: z.string(),
    }),
  ),
});

const decisionRow = z
  .object({
    decision_id: z.string(),
    at_ms: z.number(),
    use_case: z.string(),
    kind,
    tenant: z.string(),
    environment: z.string(),
    principal_id: z.string(),
    credential: z.string(),
    subject: z.string().optional(),
    state,
    status: z.number(),
    code: z.string().optional(),
    result: z.string().optional(),
    score: z.number().optional(),
    model: z.string().optional(),
    rung: z.number().optional(),
    attempts: z.number(),
    cache: cacheStatus,
    guards_hit: z.number(),
    duration_ms: z.number(),
    ttft_ms: z.number().optional(),
    cost_nano_usd: z.number(),
    input_tokens: z.number(),
    output_tokens: z.number(),
    risk,
    data_class: dataClass,
    automation,
    synthetic: z.boolean(),
    stream: z.boolean(),
  })
  .meta({ id: "DecisionRow" });

const time = z.coerce.number().int().nonnegative();
export const filterQuery = z.strictObject({
  use_case: word.optional(),
  state: state.optional(),
  code: word.optional(),
  result: word.optional(),
  principal: word.optional(),
  q: word.optional().describe("Prefix of a decision id, or a whole subject pseudonym."),
  since_ms: time.optional(),
  until_ms: time.optional(),
});
export const listQuery = filterQuery.extend({
  cursor: word.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export const decisionPage = z.object({ decisions: z.array(decisionRow), next_cursor: z.string().optional() });

const entry = z.object({
  node: z.string(),
  seq: z.number(),
  at_ms: z.number(),
  kind: z.enum(entryKinds),
  leaf_hash: z.string().describe("RFC 6962, hex."),
});
export const decisionDetail = z
  .object({
    decision_id: z.string(),
    tenant: z.string(),
    begun: begunMeta.optional(),
    attempts: z.array(attemptMeta),
    settled: settledMeta.optional(),
    amendments: z.array(z.object({ seq: z.number(), node: z.string(), at_ms: z.number(), meta: z.unknown() })),
    entries: z.array(entry),
    content_available: z.boolean(),
    checkpoint: z.object({ size: z.number(), at_ms: z.number() }).optional(),
  })
  .meta({ id: "DecisionDetail" });

/** By feature name, from the use case's contract. */
export const featureFacts = z.record(z.string(), z.object({ data_class: dataClass, unit: z.string().optional() }));

export const reasonBody = z.strictObject({ reason });
export const proofQuery = z.strictObject({
  content: z.enum(["true", "false"]).default("false"),
  reason: reason.optional().describe("Required with content=true."),
});
export const proof = z.looseObject({}).meta({ id: "ProofBundle" });

const totals = z
  .object({
    decisions: z.number(),
    answered: z.number(),
    referred: z.number(),
    refused: z.number(),
    failed: z.number(),
    interrupted: z.number(),
    errors: z.number().describe("Ended badly through a vendor or Weir itself, not through caller or policy."),
    cache_hits: z.number(),
    cost_nano_usd: z.number(),
    p50_ms: z.number().nullable().describe("From a histogram, off by at most 5.5 %; null without decisions."),
    p95_ms: z.number().nullable(),
    p99_ms: z.number().nullable(),
    rate_per_s: z.number(),
  })
  .meta({ id: "Totals" });
const point = z.object({
  at_ms: z.number(),
  decisions: z.number(),
  errors: z.number(),
  p95_ms: z.number().nullable(),
  cost_nano_usd: z.number(),
});
export const overviewQuery = z.strictObject({ range: z.enum(overviewRanges).default("1h") });
export const overview = z.object({
  range: z.enum(overviewRanges),
  step_ms: z.number(),
  from_ms: z.number(),
  to_ms: z.number(),
  totals,
  use_cases: z.array(z.object({ name: z.string(), kind, totals, series: z.array(point) })),
});

export const snapshot = z.object({
  number: z.number(),
  hash: z.string(),
  applied_at_ms: z.number(),
  applied_by: z.string(),
});
export const ledger = z.object({
  nodes: z.array(
    z.object({
      node: z.string(),
      entries: z.number(),
      writable: z.boolean(),
      checkpoint: z.object({ size: z.number(), at_ms: z.number() }).optional(),
    }),
  ),
  public_key: z.string(),
});

export const keys = z.object({
  keys: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      tenant: z.string(),
      environment,
      principal_id: z.string(),
      use_cases: z.array(z.string()),
      created_at_ms: z.number(),
      expires_at_ms: z.number().optional(),
      revoked_at_ms: z.number().optional(),
      rotated_from: z.string().optional(),
    }),
  ),
});
const words = z.array(word).max(100);
export const mintBody = z.strictObject({
  label: word,
  tenant: word,
  principal_id: z.string().regex(/^[A-Za-z0-9][\w.:@-]{0,99}$/, "use 1 to 100 letters, digits and . _ : @ -"),
  use_cases: words.min(1),
  purposes: words.optional(),
  groups: words.optional(),
  expires_in_days: z.number().int().min(1).max(3650).optional(),
});
export const mintedKey = z.object({ key: z.string().describe("Shown this once."), id: z.string() });
export const rotateBody = z.strictObject({
  overlap_minutes: z
    .number()
    .min(0)
    .max(30 * 24 * 60),
});

export const operators = z.object({
  operators: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      roles: z.array(role),
      created_at_ms: z.number(),
      disabled_at_ms: z.number().optional(),
    }),
  ),
});
export const invitationBody = z.strictObject({ name: word, roles: z.array(role).min(1) });
export const invitation = z.object({ link: z.string() });

/** WebAuthn's own JSON; its shape is the library's and the browser's. */
export const webauthnOptions = z.looseObject({ challenge: z.string() }).meta({ id: "WebAuthnOptions" });
export const webauthnAnswer = z.looseObject({ id: word, rawId: z.string(), type: z.literal("public-key") });
export const passkeyName = z.strictObject({ name: word });
export const registered = z.object({ id: z.string() });

export const passkeyQuery = z.strictObject({ operator: word.optional().describe("Default: yourself.") });
export const passkeys = z.object({
  passkeys: z.array(
    z.object({ id: z.string(), operator: z.string(), created_at_ms: z.number(), transports: z.array(z.string()) }),
  ),
});
