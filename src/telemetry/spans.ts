/**
 * Decision → OTLP spans (opentelemetry-proto 1.x as JSON), with the GenAI semantic conventions of OpenTelemetry
 * (status: development, as of 1.41). Made of metadata only: no content is ever within reach of this file.
 * Durations of stages are known, their beginnings are not: they are laid one after the other from the request on.
 */
import { hash } from "node:crypto";
import { type AttemptMeta, type DecisionKind, type StageName, stageNames } from "../kernel/decision.ts";
import type { Model, Snapshot, VendorTarget } from "../kernel/snapshot.ts";
import { type Usage, inputTokens } from "../kernel/usage.ts";
import type { Traced } from "./trace-ring.ts";

type Value = { stringValue: string } | { intValue: string } | { doubleValue: number } | { boolValue: boolean };
interface KeyValue {
  key: string;
  value: Value;
}
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: 1 | 2 | 3;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: KeyValue[];
  status: { code: 0 | 2; message?: string };
  /** W3C trace flags. */
  flags: number;
}

/** Where a model is declared to be served. */
export type Places = Pick<Snapshot, "models" | "vendors">;

const kinds = { internal: 1, server: 2, client: 3 } as const;
const sampledFlag = 1;

interface TraceParent {
  traceId: string;
  spanId: string;
  sampled: boolean;
}

/** Of a valid `traceparent`; all-zero ids are none. */
export function traceParentOf(traceparent: string | undefined): TraceParent | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? "");
  if (!match || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) return undefined;
  return { traceId: match[1]!, spanId: match[2]!, sampled: (Number.parseInt(match[3]!, 16) & sampledFlag) === 1 };
}

/** The same decision has the same ids wherever and however often it is mapped: one digest serves the whole trace. */
const spanIdOf = (digest: string, part: number): string =>
  digest.slice(32, 44) + (part & 0xffff).toString(16).padStart(4, "0");

const serverPart = 0;
const stagePart = (stage: StageName): number => 1 + stageNames.indexOf(stage);
const attemptPart = (n: number): number => stageNames.length + n;

export function spansOf({ decision, tenant, meta, attempts }: Traced, places: Places): Span[] {
  const parent = traceParentOf(meta.trace);
  const digest = hash("sha256", decision);
  const traceId = parent?.traceId ?? digest.slice(0, 32);
  const startMs = meta.started_at_ms;
  const endMs = startMs + meta.duration_ms;
  const make = (part: number, above: string | undefined, from: number, until: number): Omit<Span, "name" | "kind"> => ({
    traceId,
    spanId: spanIdOf(digest, part),
    ...(above !== undefined && { parentSpanId: above }),
    startTimeUnixNano: nano(from),
    endTimeUnixNano: nano(Math.max(from, until)),
    attributes: [],
    status: { code: 0 },
    flags: sampledFlag,
  });
  const server: Span = {
    ...make(serverPart, parent?.spanId, startMs, endMs),
    name: `${operationOf(meta.kind)} ${meta.use_case}`,
    kind: kinds.server,
    attributes: serverAttributes({ decision, tenant, meta, attempts }, places),
    ...(meta.state === "failed" && { status: { code: 2, message: meta.code ?? "failed" } }),
  };
  const stages = placed(meta.stages, startMs, endMs).map(({ stage, from, until }): Span => ({
    ...make(stagePart(stage), server.spanId, from, until),
    name: `weir.${stage}`,
    kind: kinds.internal,
  }));
  const above = meta.stages.serve ? spanIdOf(digest, stagePart("serve")) : server.spanId;
  const calls = attempts.map((attempt): Span => {
    const place = placeOf(attempt, places);
    return {
      ...make(attemptPart(attempt.n), above, attempt.started_at_ms, attempt.started_at_ms + attempt.duration_ms),
      name: `${operationOf(meta.kind)} ${place.model}`,
      kind: kinds.client,
      attributes: attemptAttributes(meta.kind, attempt, place),
      ...(attempt.status !== "ok" && { status: { code: 2, message: attempt.reason ?? attempt.status } }),
    };
  });
  return [server, ...stages, ...calls];
}

/** The envelope of an export request. */
export function exportOf(spans: readonly Span[], service: { name: string; version: string }): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: attributesOf({ "service.name": service.name, "service.version": service.version }),
        },
        scopeSpans: [{ scope: { name: "weir", version: service.version }, spans }],
      },
    ],
  });
}

/** `embeddings` is the conventions' word; for scores, ranks and moderations they have none. */
const operationOf = (kind: DecisionKind): string => (kind === "embed" ? "embeddings" : kind);

/** In the order of the path, each from where the one before ended, none beyond the end. */
function placed(stages: Traced["meta"]["stages"], startMs: number, endMs: number) {
  const list: { stage: StageName; from: number; until: number }[] = [];
  let at = startMs;
  for (const stage of stageNames) {
    const took = stages[stage];
    if (!took) continue;
    const from = Math.min(at, endMs);
    at = Math.min(endMs, from + took);
    list.push({ stage, from, until: at });
  }
  return list;
}

type Attributes = Record<string, string | number | boolean | undefined>;

function serverAttributes({ decision, tenant, meta, attempts }: Traced, { models }: Places): KeyValue[] {
  const answered = meta.model === undefined ? undefined : models.get(meta.model);
  const chosen = meta.route.find(({ eligible, rung }) => eligible && rung === meta.rung);
  return attributesOf({
    "gen_ai.operation.name": operationOf(meta.kind),
    "gen_ai.request.model": meta.use_case,
    "gen_ai.response.model": answered === undefined ? meta.model : modelIdOf(answered),
    ...(attempts.length > 0 && usageAttributes(meta.usage)),
    "gen_ai.conversation.id": meta.session,
    "error.type": meta.code,
    "http.response.status_code": meta.status,
    "weir.decision.id": decision,
    "weir.tenant": tenant,
    "weir.environment": meta.environment,
    "weir.principal.id": meta.principal.id,
    "weir.use_case": meta.use_case,
    "weir.kind": meta.kind,
    "weir.surface": meta.surface,
    "weir.risk": meta.risk,
    "weir.data_class": meta.data_class,
    "weir.state": meta.state,
    "weir.result": meta.result,
    "weir.snapshot": meta.snapshot.number,
    "weir.bundle": meta.bundle.slice(0, 8),
    "weir.rung": meta.rung,
    "weir.model": meta.model,
    "weir.route.reason": chosen?.reason,
    "weir.attempts": meta.attempts,
    "weir.cache.status": meta.cache.status,
    "weir.cost_nano_usd": meta.cost_nano_usd,
    "weir.ttft_ms": meta.ttft_ms,
    "weir.stream": meta.stream,
    "weir.synthetic": meta.synthetic,
  });
}

interface Place {
  /** As the vendor knows it. */
  model: string;
  provider: string;
  host?: string;
  port?: number;
}

function attemptAttributes(kind: DecisionKind, attempt: AttemptMeta, place: Place): KeyValue[] {
  return attributesOf({
    "gen_ai.operation.name": operationOf(kind),
    "gen_ai.provider.name": place.provider,
    "gen_ai.request.model": place.model,
    ...usageAttributes(attempt.usage),
    "server.address": place.host,
    "server.port": place.port,
    "error.type": attempt.status === "ok" ? undefined : (attempt.reason ?? attempt.status),
    "weir.attempt": attempt.n,
    "weir.rung": attempt.rung,
    "weir.arm": attempt.arm,
    "weir.slot": attempt.slot,
    "weir.model": attempt.model,
    "weir.target": attempt.target,
    "weir.region": attempt.region,
    "weir.attempt.status": attempt.status,
    "weir.cost_nano_usd": attempt.cost_nano_usd,
    "weir.ttft_ms": attempt.ttft_ms,
    "weir.usage.estimated": attempt.usage.estimated || undefined,
  });
}

/** `input_tokens` include what came from or went into the vendor's cache, as the conventions want it. */
function usageAttributes(usage: Usage): Attributes {
  const input = inputTokens(usage);
  if (input + usage.output === 0) return {};
  return {
    "gen_ai.usage.input_tokens": input,
    "gen_ai.usage.output_tokens": usage.output + (usage.audio_output ?? 0) + (usage.image_output ?? 0),
    "gen_ai.usage.cache_read.input_tokens": usage.cached_input + (usage.cached_audio_input ?? 0) || undefined,
    "gen_ai.usage.cache_creation.input_tokens": (usage.cache_write ?? 0) + (usage.cache_write_1h ?? 0) || undefined,
    "gen_ai.usage.reasoning.output_tokens": usage.reasoning || undefined,
  };
}

const modelIdOf = (model: Model): string => (model.type === "vendor" ? model.model : model.name);

function placeOf(attempt: AttemptMeta, { models, vendors }: Places): Place {
  const model = models.get(attempt.model);
  if (model?.type !== "vendor") return { model: attempt.model, provider: "weir" };
  const vendor = vendors.get(model.vendor);
  const url = vendor && URL.parse(vendor.baseUrl);
  if (!vendor || !url) return { model: model.model, provider: model.vendor };
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  return { model: model.model, provider: providerOf(vendor, url), host: url.hostname, port };
}

/** The conventions' well-known names, by the host that is called; a compatible server elsewhere bears the vendor's own name. */
const providers: readonly (readonly [host: RegExp, provider: string])[] = [
  [/(^|\.)openai\.azure\.com$|\.services\.ai\.azure\.com$/, "azure.ai.openai"],
  [/(^|\.)openai\.com$/, "openai"],
  [/(^|\.)anthropic\.com$/, "anthropic"],
  [/^bedrock[\w.-]*\.amazonaws\.com$/, "aws.bedrock"],
  [/aiplatform\.googleapis\.com$/, "gcp.vertex_ai"],
  [/^generativelanguage\.googleapis\.com$/, "gcp.gemini"],
  [/(^|\.)cohere\.(com|ai)$/, "cohere"],
  [/(^|\.)mistral\.ai$/, "mistral_ai"],
  [/(^|\.)groq\.com$/, "groq"],
  [/(^|\.)deepseek\.com$/, "deepseek"],
  [/(^|\.)x\.ai$/, "x_ai"],
  [/(^|\.)perplexity\.ai$/, "perplexity"],
];

const providerOf = (vendor: VendorTarget, url: URL): string =>
  providers.find(([host]) => host.test(url.hostname))?.[1] ?? vendor.name;

function attributesOf(attributes: Attributes): KeyValue[] {
  const list: KeyValue[] = [];
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) list.push({ key, value: valueOf(value) });
  }
  return list;
}

function valueOf(value: string | number | boolean): Value {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Epoch milliseconds with a fraction to nanoseconds, exact to the microsecond. */
const nano = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n);
