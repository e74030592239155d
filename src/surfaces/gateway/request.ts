/** Reading a request defensively: who it claims to be from, what its headers select, and its body within bounds. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { CallContext } from "../../path/context.ts";
import { jsonFaultAt } from "./json-fault-at.ts";
import type { Signal } from "../../kernel/signal.ts";

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** OpenAI clients send a bearer token, Anthropic's send x-api-key. */
export function credentialOf(request: IncomingMessage): string | undefined {
  const authorization = headerOf(request, "authorization");
  if (authorization !== undefined) return /^bearer\s+(\S+)\s*$/i.exec(authorization)?.[1] ?? "";
  return headerOf(request, "x-api-key");
}

export function contextOf(request: IncomingMessage): CallContext {
  const context: CallContext = {};
  const set = (key: "subject" | "purpose" | "consent" | "session" | "idempotencyKey" | "task", name: string) => {
    const value = headerOf(request, name);
    if (value !== undefined && value !== "") context[key] = value;
  };
  set("subject", "x-weir-subject");
  set("purpose", "x-weir-purpose");
  set("consent", "x-weir-consent");
  set("session", "x-weir-session");
  set("idempotencyKey", "idempotency-key");
  set("task", "x-weir-task");
  const trace = headerOf(request, "traceparent");
  // W3C Trace Context, version 00; anything else is no trace and is not recorded.
  if (trace !== undefined && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace)) context.traceparent = trace;
  const control = headerOf(request, "cache-control");
  if (control !== undefined && /\bno-store\b/i.test(control)) context.cache = "bypass";
  else if (control !== undefined && /\bno-cache\b/i.test(control)) context.cache = "refresh";
  const latency = headerOf(request, "x-weir-latency");
  if (latency === "interactive" || latency === "relaxed") context.latency = latency;
  for (const flag of ["synthetic", "strict", "batchable", "restricted"] as const)
    if (headerOf(request, `x-weir-${flag}`) === "true") context[flag] = true;
  return context;
}

/** The body, or why it is not taken. More than `limit` bytes are never read, let alone kept. */
export function readBody(
  request: IncomingMessage,
  limit: number,
  /** Aborts with a refusal when the client goes or the request tears. */
  signal?: Signal,
): Promise<Buffer | Refusal> {
  const declared = Number(headerOf(request, "content-length") ?? "0");
  if (declared > limit) return Promise.resolve(bodyTooLarge(limit));
  const encoding = headerOf(request, "content-encoding") ?? "identity";
  if (encoding === "identity") return collect(request, limit, signal);
  const unpack = unpackers.get(encoding.toLowerCase());
  if (!unpack)
    return Promise.resolve(
      refuse("unsupported_media_type", `Content-encoding "${encoding.slice(0, 32)}" is not supported.`),
    );
  return collect(request, limit, signal).then((packed) => (isRefusal(packed) ? packed : unpack(packed, limit)));
}

type Unpack = (packed: Buffer, limit: number) => Promise<Buffer | Refusal>;

/** In the thread pool; what would grow beyond the limit is stopped there. */
const unpackerOf =
  (run: (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>): Unpack =>
  (packed, limit) =>
    run(packed, { maxOutputLength: limit }).catch((fault: NodeJS.ErrnoException) =>
      fault.code === "ERR_BUFFER_TOO_LARGE"
        ? bodyTooLarge(limit)
        : refuse("malformed_request", "The body is not packed as its content-encoding says."),
    );

const unpackers = new Map<string, Unpack>([
  ["gzip", unpackerOf(promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip))],
  ["x-gzip", unpackerOf(promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip))],
  ["deflate", unpackerOf(promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate))],
  ["br", unpackerOf(promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress))],
  ["zstd", unpackerOf(promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress))],
]);

const bodyTooLarge = (limit: number): Refusal => refuse("body_too_large", `The body is larger than ${limit} bytes.`);

function collect(request: IncomingMessage, limit: number, signal?: Signal): Promise<Buffer | Refusal> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        request.pause();
        finish(bodyTooLarge(limit));
      } else chunks.push(chunk);
    };
    const onEnd = () => finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    const onClose = () => finish(refuse("client_gone"));
    const onAbort = () => finish(isRefusal(signal?.reason) ? signal.reason : refuse("client_gone"));
    const finish = (result: Buffer | Refusal) => {
      signal?.removeEventListener("abort", onAbort);
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
      resolve(result);
    };
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onClose);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

export function jsonTypeRefusal(request: IncomingMessage): Refusal | undefined {
  const type = headerOf(request, "content-type") ?? "";
  if (/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) return undefined;
  return refuse("unsupported_media_type", "The content type must be application/json.");
}

/** Parsed JSON, or where it breaks. The engine's own message quotes the text, which may be personal: it is not used. */
export function parseJson(body: Buffer): { value: unknown } | Refusal {
  // Lenient decoding would put other characters in their place and go on.
  if (!isUtf8(body)) return refuse("malformed_json", "The body is not UTF-8.");
  const text = body.toString("utf8");
  try {
    return { value: JSON.parse(text) };
  } catch {
    const before = text.slice(0, jsonFaultAt(text));
    const line = before.split("\n").length;
    const column = before.length - before.lastIndexOf("\n");
    return refuse("malformed_json", `The body is not valid JSON at line ${line}, column ${column}.`);
  }
}
