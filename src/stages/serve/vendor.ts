/** Calls a vendor: same-dialect bytes pass with `model` spliced, everything else is translated and says what it dropped. */
import { isUtf8 } from "node:buffer";
import type { ChatRequest } from "../../kernel/chat.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Model, VendorTarget } from "../../kernel/snapshot.ts";
import type { Usage } from "../../kernel/usage.ts";
import type { Decision, Served } from "../../path/context.ts";
import type { VendorDialect } from "../../engines/dialects/port.ts";
import type { VendorDialects } from "./port.ts";
import { estimateRequestTokens } from "../reserve/index.ts";
import { Attempt, type AttemptPorts, abortReason } from "./attempt.ts";
import { composePrompt } from "./prompt.ts";
import { backoffMs, isRetryableStatus, retryAfterOf } from "./retry.ts";
import { type Upstream, UpstreamFault, type UpstreamResponse } from "./upstream.ts";
import { openStream } from "./vendor-stream.ts";
import { credible, estimatedUsage, generatedText } from "./vendor-usage.ts";

export interface VendorPorts extends AttemptPorts {
  upstream: Upstream;
  dialects: VendorDialects;
  /** The live overlay: whether the caller's key still holds. */
  keyRefusal(d: Decision): Refusal | undefined;
}

type VendorModel = Extract<Model, { type: "vendor" }>;

export interface VendorRung {
  index: number;
  slot?: string;
  model: VendorModel;
  vendor: VendorTarget;
  /** True where the answer may leave as it arrives. */
  stream: boolean;
}

// A vendor's answer that is larger than this is not an answer.
const maxErrorBytes = 64 * 1024;
const maxAnswerBytes = 32 * 1024 * 1024;

export async function serveVendor(ports: VendorPorts, d: Decision, rung: VendorRung): Promise<Served | "next-rung"> {
  const prepared = prepare(ports, d, rung);
  for (let retry = 0; ; retry++) {
    const stop = ports.keyRefusal(d);
    if (stop) d.abort(stop);
    if (d.signal.aborted) return "next-rung";
    const tried = await tryOnce(ports, d, rung, prepared);
    if (tried.served) return tried.served;
    if (!tried.retryable || retry >= d.useCase.retries) return "next-rung";
    const waitMs = backoffMs(d.clock, retry, tried.retryAfterMs);
    if (waitMs > longestWaitMs(d, rung)) return "next-rung";
    try {
      await d.clock.sleep(waitMs, d.signal);
    } catch {
      // The client went or the deadline passed: the ladder sees the signal.
      return "next-rung";
    }
  }
}

/** A vendor that wants to be left alone for longer than this is left alone: the next rung, or the end, comes sooner. */
function longestWaitMs(d: Decision, rung: VendorRung): number {
  const left = d.deadlineAt - d.clock.monotonic();
  const isLast = d.rungs.at(-1)?.index === rung.index;
  return isLast ? left : Math.min(left, 2000);
}

/** One rung's call, the same for every retry. */
export interface Prepared {
  dialect: VendorDialect;
  request: ChatRequest;
  body: Uint8Array | string;
  sameDialect: boolean;
  /** The client asked for a stream without usage; Weir asked for it and withholds that frame. */
  withholdUsage: boolean;
  worstCase: Usage;
}

function prepare(ports: VendorPorts, d: Decision, rung: VendorRung): Prepared {
  const dialect = ports.dialects(rung.vendor.dialect);
  const composed = composePrompt(d);
  const request = composed.stream === rung.stream ? composed : { ...composed, stream: rung.stream };
  const ask = d.ask.kind === "chat" ? d.ask : undefined;
  const sameDialect = ask?.dialect === rung.vendor.dialect;
  const untouched = sameDialect && !d.rewritten && d.bytesClean && composed === ask?.request;
  const { forward } = dialect;
  const maxTokens = request.max_tokens ?? rung.model.maxOutputTokens;
  let body: Prepared["body"];
  if (untouched && forward) {
    body = forward(ask!.body, { model: rung.model.model, stream: rung.stream });
  } else {
    const encoded = dialect.encodeRequest(request, {
      ...rung.vendor.quirks,
      model: rung.model.model,
      defaultMaxTokens: rung.model.maxOutputTokens,
    });
    for (const field of encoded.dropped) d.dropped.add(field);
    body = JSON.stringify(encoded.body);
  }
  return {
    dialect,
    request,
    body,
    sameDialect,
    withholdUsage: rung.stream && !request.wants_usage,
    worstCase: { input: estimateRequestTokens(request), cached_input: 0, output: maxTokens, estimated: true },
  };
}

interface Tried {
  served?: Served;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
}

async function tryOnce(ports: VendorPorts, d: Decision, rung: VendorRung, prepared: Prepared): Promise<Tried> {
  const attempt = Attempt.begin(ports, d, {
    rung: rung.index,
    ...(rung.slot !== undefined && { slot: rung.slot }),
    model: rung.model.name,
    target: `${rung.vendor.name}/${rung.model.model}`,
    region: rung.vendor.region,
    price: rung.model.price,
    worstCase: prepared.worstCase,
  });
  if (!attempt) return { retryable: false };
  const used = estimatedUsage(prepared.request, "");
  try {
    const response = await ports.upstream.send({
      url: new URL(rung.vendor.baseUrl + prepared.dialect.path({ model: rung.model.model, stream: rung.stream })),
      headers: {
        ...prepared.dialect.headers(prepared.request),
        ...credentialHeaders(rung.vendor),
        "content-type": "application/json",
        accept: rung.stream ? prepared.dialect.streamType : "application/json",
      },
      body: prepared.body,
      signal: d.signal,
      timeouts: rung.vendor.timeouts,
    });
    if (response.status >= 300) return await refusedByVendor(attempt, d, prepared, response);
    if (!rung.stream) return await readAnswer(attempt, d, rung, prepared, response);
    const opened = await openStream(d, prepared, response, attempt, ports.keyRefusal);
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
    if (fault.reason === "aborted") attempt.end("aborted", { reason: abortReason(d), usage: used });
    else {
      // A request that reached the vendor may have been billed, whatever became of its answer.
      const reached = fault.reason === "connect_failed" || fault.reason === "connect_timeout" ? undefined : used;
      attempt.end(fault.reason.endsWith("timeout") ? "timeout" : "failed", {
        reason: fault.reason,
        ...(reached && { usage: reached }),
      });
    }
    return { retryable: fault.reason !== "aborted" };
  }
}

function credentialHeaders({ auth, keys }: VendorTarget): Record<string, string> {
  const key = keys[0]?.secret;
  if (key === undefined) return {};
  if (auth.type === "bearer") return { authorization: `Bearer ${key}` };
  return auth.type === "header" ? { [auth.name]: key } : {};
}

async function refusedByVendor(
  attempt: Attempt,
  d: Decision,
  prepared: Prepared,
  response: UpstreamResponse,
): Promise<Tried> {
  // What a vendor says beyond this is no message; its status stands all the same.
  const bytes = await response.whole(maxErrorBytes).catch(() => undefined);
  const told = prepared.dialect.decodeError(response.status, bytes && parseJson(bytes.toString("utf8")));
  const retryable = isRetryableStatus(response.status);
  const rejected = response.status === 400 || response.status === 413 || response.status === 422;
  attempt.end(rejected ? "rejected" : "failed", {
    reason: `http_${response.status}${told.code ? `:${told.code}` : ""}`,
  });
  return { retryable, retryAfterMs: retryAfterOf(response.headers, d.clock.now()) };
}

async function readAnswer(
  attempt: Attempt,
  d: Decision,
  rung: VendorRung,
  prepared: Prepared,
  response: UpstreamResponse,
): Promise<Tried> {
  const bytes = await response.whole(maxAnswerBytes);
  const text = bytes.toString("utf8");
  const decoded = prepared.dialect.decodeResponse(parseJson(text));
  if (!decoded.ok) {
    attempt.end("failed", { reason: "unreadable_answer", usage: estimatedUsage(prepared.request, "") });
    return { retryable: true };
  }
  const answer = decoded.response;
  attempt.firstContent();
  attempt.end("ok", { usage: credible(answer.usage) ?? estimatedUsage(prepared.request, generatedText(answer)) });
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
