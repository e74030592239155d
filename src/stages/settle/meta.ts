/** Decision → the record's metadata and content. Nothing personal goes into metadata. */
import type { ChatResponse } from "../../kernel/chat.ts";
import type { BegunMeta, DecisionState, SettledContent, SettledMeta } from "../../kernel/decision.ts";
import { type ErrorCode, errorKinds } from "../../kernel/errors.ts";
import type { Decision, Outcome } from "../../path/context.ts";

export function begunMeta(d: Decision): BegunMeta {
  const { context } = d.call;
  const { type, id, credential, environment } = d.principal;
  return {
    use_case: d.useCase.name,
    kind: d.kind,
    environment,
    surface: d.call.surface,
    principal: { type, id, credential },
    ...(d.purpose !== undefined && { purpose: d.purpose }),
    ...(d.useCase.basis !== undefined && { basis: d.useCase.basis }),
    ...(d.consent !== undefined && { consent: d.consent }),
    ...(d.subject !== undefined && { subject: d.subject }),
    ...(d.session !== undefined && { session: d.session }),
    risk: d.useCase.risk,
    data_class: d.dataClass,
    snapshot: { number: d.snapshot.number, hash: d.snapshot.hash },
    bundle: d.useCase.bundle,
    stream: d.request?.stream ?? false,
    ...(context.synthetic && { synthetic: true as const }),
    ...(d.idempotency && { idempotency: d.idempotency }),
    ...(context.traceparent !== undefined && { trace: context.traceparent }),
  };
}

export interface Ending {
  state: DecisionState;
  code?: ErrorCode;
  delivered?: SettledMeta["delivered"];
  digests?: SettledMeta["digests"];
}

const milli = (ms: number): number => Math.round(ms * 1000) / 1000;

export function settledMeta(d: Decision, ending: Ending): SettledMeta {
  const stages = Object.fromEntries(Object.entries(d.stages).map(([stage, ms]) => [stage, milli(ms)]));
  const { decide } = d.useCase;
  return {
    ...begunMeta(d),
    state: ending.state,
    ...(!d.begun && { refused_before_begin: true as const }),
    ...(ending.code && { code: ending.code }),
    status: ending.code ? errorKinds[ending.code].status : 200,
    started_at_ms: d.call.startedAtMs,
    duration_ms: milli(d.clock.monotonic() - d.call.started),
    ...(d.ttftMs !== undefined && { ttft_ms: milli(d.ttftMs) }),
    stages,
    route: d.route,
    attempts: d.attempts.length,
    ...(d.model !== undefined && { model: d.model }),
    ...(d.rung !== undefined && { rung: d.rung }),
    cache: d.cache,
    ...(d.retrieval && { retrieval: d.retrieval }),
    guards: d.guards,
    ...(d.score !== undefined && { score: d.score }),
    ...(d.confidence !== undefined && { confidence: d.confidence }),
    ...(decide.length > 0 && {
      thresholds: decide.map((rule) => ({ when: rule.when?.source ?? "otherwise", result: resultOf(rule.then) })),
    }),
    ...(d.rule !== undefined && { rule: d.rule }),
    ...(d.result !== undefined && { result: d.result }),
    reasons: d.reasons,
    // A referred decision is pending: whoever decides it makes it human, in an amendment.
    automation: d.referTo === undefined ? "auto" : "assisted",
    usage: d.usage,
    cost_nano_usd: d.costNanoUsd,
    ...(d.dropped.size > 0 && { dropped: [...d.dropped] }),
    ...(ending.delivered && { delivered: ending.delivered }),
    ...(ending.digests && { digests: ending.digests }),
    record: d.useCase.record,
    ...(d.referTo !== undefined && { refer_to: d.referTo }),
  };
}

const resultOf = (then: Decision["useCase"]["decide"][number]["then"]): string =>
  "result" in then ? then.result : "climb" in then ? "climb" : "template";

/**
 * What `record` lets be kept, encrypted. Card security codes never are: `scrub` takes them out of every text.
 * `said` is what of a stream was heard, also when it ended as a refusal.
 */
export function settledContent(
  d: Decision,
  outcome: Outcome,
  scrub: (text: string) => string,
  said?: ChatResponse,
): SettledContent | undefined {
  const kept = d.idempotency ? { kept_answer: scrubbed(keptAnswer(outcome), scrub) } : undefined;
  if (d.useCase.record === "digest") return kept;
  const content: SettledContent = { ...kept };
  if (d.features) content.features = d.features;
  if (d.request) content.messages = scrubbed(d.request.messages, scrub);
  const answer = outcome.type === "chat" ? outcome.response : said;
  if (answer) {
    content.answer = scrubbed(answer.parts, scrub);
    if (answer.citations) content.citations = answer.citations;
  }
  return content;
}

/** A passed-through answer keeps its bytes: repeated, it is the same to the last one. */
function keptAnswer(outcome: Outcome): unknown {
  if (outcome.type !== "chat") return outcome;
  const { raw: bytes } = outcome;
  const raw = bytes !== undefined && { raw: typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8") };
  return { type: "chat", response: outcome.response, ...raw };
}

/** A deep copy with every string scrubbed. */
function scrubbed(value: unknown, scrub: (text: string) => string): unknown {
  if (typeof value === "string") return scrub(value);
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, scrub));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scrubbed(item, scrub)]));
}
