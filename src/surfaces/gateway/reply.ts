/** Writing answers: Weir's own headers on every response, bodies whole or as frames with back-pressure. */
import type { ServerResponse } from "node:http";
import { type Refusal, errorKinds } from "../../kernel/errors.ts";
import type { Answer } from "../../path/context.ts";
import type { Signal } from "../../kernel/signal.ts";

/** RFC 9457 problem document. */
export function problemOf(refusal: Refusal, decision?: string): Record<string, unknown> {
  const kind = errorKinds[refusal.code];
  return {
    type: `urn:weir:error:${refusal.code}`,
    title: kind.title,
    status: kind.status,
    detail: refusal.message,
    code: refusal.code,
    fix: kind.fix,
    ...(refusal.param !== undefined && { param: refusal.param }),
    ...(decision !== undefined && { decision_id: decision }),
  };
}

/** Headers of a refusal before a decision began. */
export function refusalHeaders(decision: string, { retryAfterMs }: Refusal): Record<string, string> {
  const headers: Record<string, string> = { "x-weir-decision-id": decision };
  if (retryAfterMs !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return headers;
}

/** Headers that every answer of a decision bears; `early` ones leave before model and attempts are known. */
export function answerHeaders(answer: Answer): Record<string, string> {
  const headers: Record<string, string> = { "x-weir-decision-id": answer.decision };
  const { settled, limits, tokenLimits, outcome } = answer;
  if (settled) {
    if (settled.model !== undefined) headers["x-weir-model"] = settled.model;
    headers["x-weir-attempts"] = String(settled.attempts);
    headers["x-weir-cache"] = settled.cache.status;
    if (settled.dropped) headers["x-weir-dropped"] = settled.dropped.map(headerText).join(", ").slice(0, 1024);
    headers["server-timing"] = serverTiming(settled.stages);
  }
  if (answer.replayed) headers["x-weir-replayed"] = "true";
  if (limits) addLimits(headers, "requests", limits);
  if (tokenLimits) addLimits(headers, "tokens", tokenLimits);
  if (outcome.type === "refused" && outcome.refusal.retryAfterMs !== undefined)
    headers["retry-after"] = String(Math.max(1, Math.ceil(outcome.refusal.retryAfterMs / 1000)));
  return headers;
}

/** The structured fields of draft-ietf-httpapi-ratelimit-headers (one list item each), and the form that OpenAI's clients read. */
function addLimits(
  headers: Record<string, string>,
  unit: "requests" | "tokens",
  { policy, limit, remaining, resetMs }: NonNullable<Answer["limits"]>,
): void {
  const resetSeconds = Math.ceil(resetMs / 1000);
  // One scope may bound both: the unit tells its two policies apart.
  const name = unit === "requests" ? policy : `${policy}-tokens`;
  const and = headers["ratelimit"] === undefined ? "" : ", ";
  headers["ratelimit-policy"] = `${headers["ratelimit-policy"] ?? ""}${and}"${name}";q=${limit};w=60`;
  headers["ratelimit"] = `${headers["ratelimit"] ?? ""}${and}"${name}";r=${remaining};t=${resetSeconds}`;
  headers[`x-ratelimit-limit-${unit}`] = String(limit);
  headers[`x-ratelimit-remaining-${unit}`] = String(remaining);
  headers[`x-ratelimit-reset-${unit}`] = `${resetSeconds}s`;
}

/** Names that clients made up, as visible ASCII: a header can hold nothing else. */
const headerText = (text: string): string =>
  text.replace(/[^\x21-\x7e]|[,%]/gu, (c) => encodeURIComponent(c.toWellFormed()));

function serverTiming(stages: Record<string, number>): string {
  let text = "";
  for (const stage in stages) text += `${text === "" ? "" : ", "}${stage};dur=${stages[stage]!.toFixed(3)}`;
  return text;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: unknown,
): void {
  sendBytes(response, status, headers, JSON.stringify(body), headers["content-type"] ?? "application/json");
}

export function sendBytes(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array,
  contentType: string,
): void {
  if (response.destroyed || response.headersSent) return;
  headers["content-type"] = contentType;
  headers["content-length"] = String(typeof body === "string" ? Buffer.byteLength(body) : body.length);
  response.writeHead(status, headers);
  response.end(body);
}

/** Resolves when the socket takes more; false when it is gone, or when `signal` ends the wait. */
export function write(response: ServerResponse, data: string | Uint8Array, signal?: Signal): true | Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  if (response.write(data)) return true;
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      signal?.removeEventListener("abort", done);
      resolve(!response.destroyed && !signal?.aborted);
    };
    response.on("drain", done);
    response.on("close", done);
    if (signal?.aborted) done();
    else signal?.addEventListener("abort", done, { once: true });
  });
}
