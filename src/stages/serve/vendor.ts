/** Calls a vendor: same-dialect bytes pass with `model` spliced, everything else is translated and says what it dropped. */
import { isUtf8 } from "node:buffer";
import type { ChatRequest, DialectName } from "../../kernel/chat.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Model, VendorKey, VendorTarget } from "../../kernel/snapshot.ts";
import { type Usage, inputTokens } from "../../kernel/usage.ts";
import type { Decision, Served } from "../../path/context.ts";
import type { VendorDialect } from "../../engines/dialects/port.ts";
import type { VendorDialects } from "./port.ts";
import { type TokenCalibration, estimateRequestTokens, priorityOf } from "../reserve/index.ts";
import { allowanceOf } from "./allowance.ts";
import { type Capacity, type Pass, refuseShed } from "./capacity/index.ts";
import { Attempt, type AttemptPlan, type AttemptPorts, abortReason } from "./attempt.ts";
import { credentialsFor } from "./credentials.ts";
import type { VendorKeys } from "./health/index.ts";
import { composePrompt } from "./prompt.ts";
import { type RequestBounds, boundsOf } from "./request-bounds.ts";
import { backoffMs, durationOf, isRetryableStatus, retryAfterOf } from "./retry.ts";
import { type Upstream, UpstreamFault, type UpstreamResponse } from "./upstream.ts";
import { addressOf } from "./vendor-address.ts";
import { openStream } from "./vendor-stream.ts";
import { credible, estimatedUsage, generatedText } from "./vendor-usage.ts";

export interface VendorPorts extends AttemptPorts {
  upstream: Upstream;
  dialects: VendorDialects;
  keys: VendorKeys;
  capacity: Capacity;
  calibration: TokenCalibration;
  /** The live overlay: whether the caller's key still holds. */
  keyRefusal(d: Decision): Refusal | undefined;
  /** The live overlay: whether an operator has closed this way since routing. */
  isExcluded(d: Decision, place: { rung: number; model: string; vendor: string }): boolean;
}

type VendorModel = Extract<Model, { type: "vendor" }>;

export interface VendorRung {
  index: number;
  slot?: string;
  model: VendorModel;
  vendor: VendorTarget;
  /** True where the answer may leave as it arrives. */
  stream: boolean;
  /** The acceptance check wants log probabilities, whatever the client asked for. */
  logprobs?: boolean;
}

// A vendor's answer that is larger than this is not an answer.
const maxErrorBytes = 64 * 1024;
const maxAnswerBytes = 32 * 1024 * 1024;

export async function serveVendor(ports: VendorPorts, d: Decision, rung: VendorRung): Promise<Served | "next-rung"> {
  const prepared = prepare(ports, d, rung);
  const plan = planOf(rung, prepared);
  const strict = d.useCase.strict || d.call.context.strict;
  if (strict && prepared.dropped.length > 0) {
    Attempt.skip(ports, d, plan, "rejected", "translation_loss");
    return "next-rung";
  }
  const called = d.attempts.length;
  let retries = 0;
  for (;;) {
    const stop = ports.keyRefusal(d);
    if (stop) d.abort(stop);
    if (d.signal.aborted) return "next-rung";
    const choice = ports.keys.take(rung.vendor, plan.target);
    if ("waitMs" in choice && (await waited(d, rung, choice.waitMs + d.clock.random() * 100))) continue;
    if (d.signal.aborted) return "next-rung";
    const place = { rung: rung.index, model: rung.model.name, vendor: rung.vendor.name };
    const bar = ports.isExcluded(d, place) ? "override_excluded" : barOf(ports, plan, choice);
    if (bar !== undefined || !("key" in choice)) {
      // What was tried already speaks for itself.
      if (d.attempts.length === called) Attempt.skip(ports, d, plan, "failed", bar ?? "cooling_down");
      return "next-rung";
    }
    const tried = await tryOnce({ ports, d, rung, prepared, plan, key: choice.key });
    if (tried.served) {
      for (const field of prepared.dropped) d.dropped.add(field);
      return tried.served;
    }
    // Another key of the same vendor costs no retry: the request itself was never looked at.
    if (tried.keyDead) continue;
    if (!tried.retryable || retries >= d.useCase.retries || !ports.health.mayRetry(plan.target)) return "next-rung";
    const otherKey =
      tried.limited && rung.vendor.keys.length > 1 && ports.keys.availability(rung.vendor, plan.target) === "live";
    if (!otherKey && !(await waited(d, rung, backoffMs(d.clock, retries, tried.retryAfterMs)))) return "next-rung";
    retries += 1;
  }
}

/** Why the target must not be called now; the wait for a cooling key is not among them. */
function barOf(ports: VendorPorts, plan: AttemptPlan, choice: ReturnType<VendorKeys["take"]>): string | undefined {
  if ("none" in choice) return "no_live_key";
  return ports.health.admits(plan.target, plan.watched?.policy) ? undefined : "breaker_open";
}

/** False where that would be too long, or the client went or the deadline passed meanwhile: the ladder sees the signal. */
async function waited(d: Decision, rung: VendorRung, ms: number): Promise<boolean> {
  if (ms > longestWaitMs(d, rung)) return false;
  try {
    await d.clock.sleep(ms, d.signal);
    return true;
  } catch {
    return false;
  }
}

/** A vendor that wants to be left alone for longer than this is left alone: the next rung, or the end, comes sooner. */
function longestWaitMs(d: Decision, rung: VendorRung): number {
  const left = d.deadlineAt - d.clock.monotonic();
  const last = d.rungs.at(-1);
  const isLast = last?.index === rung.index && (last.rung.type !== "model" || last.rung.model === rung.model.name);
  return isLast ? left : Math.min(left, 2000);
}

const planOf = ({ index, slot, model, vendor, stream }: VendorRung, { worstCase, bounds }: Prepared): AttemptPlan => ({
  rung: index,
  ...(slot !== undefined && { slot }),
  model: model.name,
  target: `${vendor.name}/${model.model}`,
  region: vendor.region,
  price: model.price,
  worstCase,
  watched: { stream, policy: vendor.health },
  bounds,
  ...(model.energy && { energy: model.energy }),
});

/** One rung's call, the same for every retry. */
export interface Prepared {
  dialect: VendorDialect;
  request: ChatRequest;
  body: Uint8Array | string;
  sameDialect: boolean;
  /** Request fields that the body doesn't carry. */
  dropped: readonly string[];
  /** The client asked for a stream without usage; Weir asked for it and withholds that frame. */
  withholdUsage: boolean;
  worstCase: Usage;
  bounds: RequestBounds;
  /** Input tokens as estimated, before the model's own way of counting is known of. */
  estimate: number;
  /** Input tokens as the model will most likely count them. */
  expectedInput: number;
}

/** The features asked for that this vendor doesn't take; it would refuse the whole request. */
function betasLost({ betas }: ChatRequest, { betas: known, dialect }: VendorTarget): string[] {
  if (!betas) return [];
  // A server of one's own takes what it takes.
  if (!known && dialect === "anthropic-messages") return [];
  return betas.filter((beta) => !known?.includes(beta));
}

/** Vendors that keep a prompt in their cache only where it is marked. */
const wantsMarks: ReadonlySet<DialectName> = new Set(["anthropic-messages", "bedrock-converse"]);

function prepare(ports: VendorPorts, d: Decision, rung: VendorRung): Prepared {
  const dialect = ports.dialects(rung.vendor.dialect);
  const composed = composePrompt(d, wantsMarks.has(rung.vendor.dialect));
  const asked = composed.stream === rung.stream ? composed : { ...composed, stream: rung.stream };
  const ownLogprobs = rung.logprobs === true && asked.logprobs !== true;
  const lost = betasLost(asked, rung.vendor);
  const told = lost.length === 0 ? asked : { ...asked, betas: asked.betas!.filter((beta) => !lost.includes(beta)) };
  const request = ownLogprobs ? { ...told, logprobs: true } : told;
  const ask = d.ask.kind === "chat" ? d.ask : undefined;
  const sameDialect = ask?.dialect === rung.vendor.dialect;
  const untouched = sameDialect && !d.rewritten && d.bytesClean && composed === ask?.request && !ownLogprobs;
  const { forward } = dialect;
  const maxTokens = request.max_tokens ?? rung.model.maxOutputTokens;
  let body: Prepared["body"];
  let dropped: readonly string[] = [];
  if (untouched && forward) {
    body = forward(ask!.body, { model: rung.model.model, stream: rung.stream });
  } else {
    const encoded = dialect.encodeRequest(request, {
      ...rung.vendor.quirks,
      ...rung.model.quirks,
      model: rung.model.model,
      defaultMaxTokens: rung.model.maxOutputTokens,
    });
    // Nobody misses what only Weir asked for.
    dropped = ownLogprobs ? encoded.dropped.filter((field) => field !== "logprobs") : encoded.dropped;
    body = JSON.stringify(encoded.body);
  }
  const estimate = estimateRequestTokens(request);
  const admitted = Math.max(estimate, ports.calibration.admitted(rung.model.name, estimate));
  return {
    dialect,
    request,
    body,
    dropped: lost.length > 0 ? [...dropped, ...lost.map((beta) => `anthropic-beta.${beta}`)] : dropped,
    // The vendor's bytes would say more than the client asked for.
    sameDialect: sameDialect && !ownLogprobs,
    withholdUsage: rung.stream && !request.wants_usage,
    worstCase: { input: admitted, cached_input: 0, output: maxTokens * (request.n ?? 1), estimated: true },
    bounds: boundsOf(request, rung.vendor.dialect),
    estimate,
    expectedInput: ports.calibration.expected(rung.model.name, estimate),
  };
}

interface Tried {
  served?: Served;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
  /** The key has reached its limit: another one may not have. */
  limited?: boolean;
  keyDead?: boolean;
}

/** Everything about one try that is known before it. */
export interface VendorCall {
  ports: VendorPorts;
  d: Decision;
  rung: VendorRung;
  prepared: Prepared;
  plan: AttemptPlan;
  key: VendorKey | undefined;
}

async function tryOnce(call: VendorCall): Promise<Tried> {
  const { ports, d, rung, prepared, plan, key } = call;
  const pass = await enterTarget(call);
  if (!pass) return { retryable: false };
  const attempt = Attempt.begin(ports, d, key ? { ...plan, key: key.id } : plan, pass);
  if (!attempt) return { retryable: false };
  const used = estimatedUsage(prepared.expectedInput, "");
  let sent = false;
  try {
    const { model, vendor, stream } = rung;
    const url = addressOf(vendor, prepared.dialect.path({ model: model.model, stream }), model.model);
    const shown = credentialsFor(
      vendor,
      key,
      { method: "POST", url, headers: jsonBody, body: prepared.body },
      {
        clock: d.clock,
        upstream: ports.upstream,
        signal: d.signal,
      },
    );
    const credentials = shown instanceof Promise ? await shown : shown;
    sent = true;
    const response = await ports.upstream.send({
      url,
      headers: {
        ...prepared.dialect.headers(prepared.request),
        ...vendor.headers,
        ...credentials,
        ...jsonBody,
        accept: stream ? prepared.dialect.streamType : "application/json",
      },
      body: prepared.body,
      signal: d.signal,
      timeouts: rung.vendor.timeouts,
    });
    const left = allowanceOf(response.headers, (text) => durationOf(text, d.clock.now()));
    if (left) ports.capacity.told(plan.target, left);
    if (response.status >= 300) return await refusedByVendor(call, attempt, response);
    ports.keys.worked(rung.vendor, key, plan.target);
    if (!rung.stream) return await readAnswer(call, attempt, response);
    const opened = await openStream(call, response, attempt);
    if ("served" in opened) {
      d.model = rung.model.name;
      return opened;
    }
    attempt.end("failed", { reason: opened.failed, usage: opened.usage });
    return { retryable: true };
  } catch (fault) {
    if (!(fault instanceof UpstreamFault)) {
      attempt.end("failed", { reason: "fault" });
      throw fault;
    }
    if (fault.reason === "aborted") {
      attempt.end("aborted", { reason: abortReason(d), ...(sent && { usage: used }) });
    } else {
      // Only the log learns why.
      if (fault.reason === "credentials_failed") ports.report(d, fault);
      // A request that reached the vendor may have been billed, whatever became of its answer.
      const connected = fault.reason !== "connect_failed" && fault.reason !== "connect_timeout";
      const reached = sent && connected ? used : undefined;
      attempt.end(fault.reason.endsWith("timeout") ? "timeout" : "failed", {
        reason: fault.reason,
        ...(reached && { usage: reached }),
      });
    }
    return { retryable: fault.reason !== "aborted" };
  }
}

/** A place at the target; `undefined` where it can't be had in time, or the client went while it was waited for. */
async function enterTarget({ ports, d, rung, prepared, plan }: VendorCall): Promise<Pass | undefined> {
  const { firstTokenMs } = rung.vendor.timeouts;
  const entered = ports.capacity.enter(plan.target, {
    tenant: d.tenant.name,
    ...(d.tenant.weight !== undefined && { weight: d.tenant.weight }),
    class: priorityOf(d),
    inTokens: prepared.expectedInput,
    expectedOutTokens: Math.min(d.expectedOutput ?? prepared.worstCase.output, prepared.worstCase.output),
    deadlineAt: d.deadlineAt,
    ...(rung.stream && firstTokenMs !== undefined && { firstTokenBy: d.clock.monotonic() + firstTokenMs }),
    signal: d.signal,
  });
  const place = entered instanceof Promise ? await entered : entered;
  if (!("shed" in place)) return place;
  if (place.shed !== "gone") d.turnedAway = refuseShed(plan.target, place);
  Attempt.skip(ports, d, plan, place.shed === "gone" ? "aborted" : "failed", `shed_${place.shed}`);
  return undefined;
}

const jsonBody = { "content-type": "application/json" } as const;

// Some vendors say 403 of a request that their moderation flagged: that is not the key's fault.
const aboutContent = /moderat|flagged|content[ _-]?(?:policy|filter)|safety/i;

async function refusedByVendor(call: VendorCall, attempt: Attempt, response: UpstreamResponse): Promise<Tried> {
  const { ports, d, rung, prepared, plan, key } = call;
  // What a vendor says beyond this is no message; its status stands all the same.
  const bytes = await response.whole(maxErrorBytes).catch(() => undefined);
  const told = prepared.dialect.decodeError(response.status, bytes && parseJson(bytes.toString("utf8")));
  const { status } = response;
  const flagged = status === 403 && aboutContent.test(`${told.code ?? ""} ${told.message}`);
  const rejected = status === 400 || status === 413 || status === 422 || flagged;
  attempt.end(rejected ? "rejected" : "failed", { reason: `http_${status}${told.code ? `:${told.code}` : ""}` });
  const limited = status === 429;
  const retryAfterMs = retryAfterOf(response.headers, d.clock.now(), limited);
  if (limited) ports.keys.limited(rung.vendor, key, plan.target, retryAfterMs);
  const keyDead = (status === 401 || status === 402 || status === 403) && !rejected;
  if (keyDead) ports.keys.refused(rung.vendor, key, status);
  return { retryable: isRetryableStatus(status), retryAfterMs, limited, keyDead: keyDead && key !== undefined };
}

async function readAnswer(
  { ports, d, rung, prepared }: VendorCall,
  attempt: Attempt,
  response: UpstreamResponse,
): Promise<Tried> {
  const bytes = await response.whole(maxAnswerBytes);
  const text = bytes.toString("utf8");
  const decoded = prepared.dialect.decodeResponse(parseJson(text));
  if (!decoded.ok) {
    attempt.end("failed", { reason: "unreadable_answer", usage: estimatedUsage(prepared.expectedInput, "") });
    return { retryable: true };
  }
  const answer = decoded.response;
  attempt.firstContent();
  const reported = credible(answer.usage);
  if (reported) ports.calibration.observe(rung.model.name, prepared.estimate, inputTokens(reported));
  attempt.end("ok", { usage: reported ?? estimatedUsage(prepared.expectedInput, generatedText(answer)) });
  d.model = rung.model.name;
  return {
    served: { type: "chat", response: answer, ...(prepared.sameDialect && { raw: passable(bytes, text) }) },
  };
}

// A short text leaves in one write with the headers, bytes in a second one; long ones are not worth encoding again.
const longAnswer = 16 * 1024;

const passable = (bytes: Buffer, text: string): Uint8Array | string =>
  bytes.length < longAnswer && isUtf8(bytes) ? text : bytes;

/** `undefined` for what is not JSON: the dialect then says that it can't be read. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
