/** Calls a vendor: same-dialect bytes pass with `model` spliced, everything else is translated and says what it dropped. */
import { isUtf8 } from "node:buffer";
import type { ChatRequest, DialectName } from "../../kernel/chat.ts";
import { parseExactly } from "../../kernel/exact-json.ts";
import type { VendorTarget } from "../../kernel/snapshot.ts";
import { type Usage, inputTokens } from "../../kernel/usage.ts";
import type { Decision, Served } from "../../path/context.ts";
import type { VendorDialect } from "../../engines/dialects/port.ts";
import { estimateRequestTokens } from "../reserve/index.ts";
import { Attempt, type AttemptPlan } from "./attempt.ts";
import { composePrompt } from "./prompt.ts";
import { type RequestBounds, boundsOf } from "./request-bounds.ts";
import type { UpstreamResponse } from "./upstream.ts";
import { type Tried, type VendorPorts, type VendorWay, type VendorWire, callVendor, parseJson } from "./vendor-call.ts";
import { openStream } from "./vendor-stream.ts";
import { credible, estimatedUsage, generatedText } from "./vendor-usage.ts";

export interface VendorRung extends VendorWay {
  /** True where the answer may leave as it arrives. */
  stream: boolean;
  /** The acceptance check wants log probabilities, whatever the client asked for. */
  logprobs?: boolean;
}

// A vendor's answer that is larger than this is not an answer.
const maxAnswerBytes = 32 * 1024 * 1024;

export async function serveVendor(ports: VendorPorts, d: Decision, rung: VendorRung): Promise<Served | "next-rung"> {
  const prepared = prepare(ports, d, rung);
  const plan = planOf(rung, prepared);
  const strict = d.useCase.strict || d.call.context.strict;
  if (strict && prepared.dropped.length > 0) {
    Attempt.skip(ports, d, plan, "rejected", "translation_loss");
    return "next-rung";
  }
  const served = await callVendor({ ports, d, way: rung, plan, wire: wireOf({ ports, d, rung, prepared }) });
  if (!served) return "next-rung";
  for (const field of prepared.dropped) d.dropped.add(field);
  return served;
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

/** Everything about a chat's call that is known before it. */
export interface ChatCall {
  ports: VendorPorts;
  d: Decision;
  rung: VendorRung;
  prepared: Prepared;
}

function wireOf(call: ChatCall): VendorWire {
  const { d, rung, prepared } = call;
  const { dialect, worstCase, expectedInput } = prepared;
  const { model, stream } = rung;
  return {
    path: dialect.path({ model: model.model, stream }),
    headers: dialect.headers(prepared.request),
    accept: stream ? dialect.streamType : "application/json",
    body: prepared.body,
    expected: { input: expectedInput, output: Math.min(d.expectedOutput ?? worstCase.output, worstCase.output) },
    estimate: () => estimatedUsage(expectedInput, ""),
    decodeError: (status, body) => dialect.decodeError(status, body),
    read: (attempt, response) => (stream ? readStream : readAnswer)(call, attempt, response),
  };
}

async function readStream(call: ChatCall, attempt: Attempt, response: UpstreamResponse): Promise<Tried> {
  const opened = await openStream(call, response, attempt);
  if ("served" in opened) {
    call.d.model = call.rung.model.name;
    return opened;
  }
  attempt.end("failed", { reason: opened.failed, usage: opened.usage });
  return { retryable: true };
}

async function readAnswer(
  { ports, d, rung, prepared }: ChatCall,
  attempt: Attempt,
  response: UpstreamResponse,
): Promise<Tried> {
  const bytes = await response.whole(maxAnswerBytes);
  const text = bytes.toString("utf8");
  const decoded = prepared.dialect.decodeResponse(parseAnswer(text));
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

// Arguments of calls that lie in the answer as JSON, not as text, have to keep their numbers digit for digit.
const inlineCalls = /"(?:tool_use|toolUse|functionCall)"/;

function parseAnswer(text: string): unknown {
  if (!inlineCalls.test(text)) return parseJson(text);
  try {
    return parseExactly(text);
  } catch {
    return undefined;
  }
}

// A short text leaves in one write with the headers, bytes in a second one; long ones are not worth encoding again.
const longAnswer = 16 * 1024;

const passable = (bytes: Buffer, text: string): Uint8Array | string =>
  bytes.length < longAnswer && isUtf8(bytes) ? text : bytes;
