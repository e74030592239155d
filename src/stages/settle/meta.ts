/** Decision → the record's metadata and content. Nothing personal goes into metadata. */
import type { ChatResponse } from "../../kernel/chat.ts";
import type { BegunMeta, DecisionState, SettledContent, SettledMeta, StageName } from "../../kernel/decision.ts";
import { type ErrorCode, errorKinds } from "../../kernel/errors.ts";
import type { Decision, Outcome } from "../../path/context.ts";
import { keptTask, recordedTask } from "./task-content.ts";

/** Fields are set one by one: an object spread for each that may be absent costs more than the rest of the record. */
export function begunMeta(d: Decision): BegunMeta {
  const { context } = d.call;
  const { type, id, credential, environment } = d.principal;
  const meta: BegunMeta = {
    use_case: d.useCase.name,
    kind: d.kind,
    environment,
    surface: d.call.surface,
    principal: { type, id, credential },
    risk: d.useCase.risk,
    data_class: d.dataClass,
    snapshot: { number: d.snapshot.number, hash: d.snapshot.hash },
    bundle: d.useCase.bundle,
    stream: d.request?.stream ?? false,
    ...(d.inputTokens !== undefined && { input_tokens: d.inputTokens }),
  };
  if (d.purpose !== undefined) meta.purpose = d.purpose;
  if (d.useCase.basis !== undefined) meta.basis = d.useCase.basis;
  if (d.consent !== undefined) meta.consent = d.consent;
  if (d.subject !== undefined) meta.subject = d.subject;
  if (d.session !== undefined) meta.session = d.session;
  if (context.synthetic) meta.synthetic = true;
  if (d.idempotency) meta.idempotency = d.idempotency;
  if (context.traceparent !== undefined) meta.trace = context.traceparent;
  return meta;
}

export interface Ending {
  state: DecisionState;
  code?: ErrorCode;
  delivered?: SettledMeta["delivered"];
  digests?: SettledMeta["digests"];
}

const milli = (ms: number): number => Math.round(ms * 1000) / 1000;

export function settledMeta(d: Decision, ending: Ending): SettledMeta {
  const meta: SettledMeta = {
    ...begunMeta(d),
    state: ending.state,
    status: ending.code ? errorKinds[ending.code].status : 200,
    started_at_ms: d.call.startedAtMs,
    duration_ms: milli(d.clock.monotonic() - d.call.started),
    stages: inMilli(d.stages),
    route: d.route,
    attempts: d.attempts.length,
    cache: d.cache,
    guards: d.guards,
    reasons: d.reasons,
    // A referred decision is pending: whoever decides it makes it human, in an amendment.
    automation: d.referTo === undefined ? "auto" : "assisted",
    usage: d.usage,
    cost_nano_usd: d.costNanoUsd,
    record: d.useCase.record,
  };
  if (!d.begun) meta.refused_before_begin = true;
  if (ending.code) meta.code = ending.code;
  if (d.ttftMs !== undefined) meta.ttft_ms = milli(d.ttftMs);
  if (d.model !== undefined) meta.model = d.model;
  if (d.rung !== undefined) meta.rung = d.rung;
  if (d.retrieval) meta.retrieval = d.retrieval;
  if (d.score !== undefined) meta.score = d.score;
  if (d.confidence !== undefined) meta.confidence = d.confidence;
  if (d.useCase.decide.length > 0) meta.thresholds = thresholdsOf(d.useCase.decide);
  if (d.rule !== undefined) meta.rule = d.rule;
  if (d.result !== undefined) meta.result = d.result;
  if (d.dropped.size > 0) meta.dropped = [...d.dropped];
  if (d.trimmed) meta.trimmed = d.trimmed;
  if (ending.delivered) meta.delivered = ending.delivered;
  if (ending.digests) meta.digests = ending.digests;
  if (d.referTo !== undefined) meta.refer_to = d.referTo;
  return meta;
}

function inMilli(stages: Decision["stages"]): SettledMeta["stages"] {
  const rounded: SettledMeta["stages"] = {};
  for (const stage in stages) rounded[stage as StageName] = milli(stages[stage as StageName]!);
  return rounded;
}

type Rules = Decision["useCase"]["decide"];
const known = new WeakMap<Rules, NonNullable<SettledMeta["thresholds"]>>();

/** Made once for each snapshot's rules. */
function thresholdsOf(rules: Rules): NonNullable<SettledMeta["thresholds"]> {
  let thresholds = known.get(rules);
  if (!thresholds) {
    thresholds = rules.map((rule) => ({ when: rule.when?.source ?? "otherwise", result: resultOf(rule.then) }));
    known.set(rules, thresholds);
  }
  return thresholds;
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
  const kept = d.idempotency ? { kept_answer: keptAnswer(outcome, scrub) } : undefined;
  if (d.useCase.record === "digest") return kept;
  const content: SettledContent = { ...kept };
  if (d.features) content.features = d.features;
  if (d.request) content.messages = scrubbed(d.request.messages, scrub);
  if (d.task) content.task = scrubbed(d.task, scrub);
  if (outcome.type === "task") content.answer = recordedTask(outcome.response);
  const answer = outcome.type === "chat" ? outcome.response : said;
  if (answer) {
    content.answer = scrubbed(answer.parts, scrub);
    if (answer.citations) content.citations = answer.citations;
  }
  return content;
}

/** A passed-through answer keeps its bytes: repeated, it is the same to the last one. */
function keptAnswer(outcome: Outcome, scrub: (text: string) => string): unknown {
  if (outcome.type === "task") return keptTask(outcome, scrub);
  if (outcome.type !== "chat") return scrubbed(outcome, scrub);
  const { raw: bytes } = outcome;
  const raw = bytes !== undefined && { raw: typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8") };
  return scrubbed({ type: "chat", response: outcome.response, ...raw }, scrub);
}

/** A deep copy with every string scrubbed. */
function scrubbed(value: unknown, scrub: (text: string) => string): unknown {
  if (typeof value === "string") return scrub(value);
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, scrub));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scrubbed(item, scrub)]));
}
