/**
 * The only place from which telemetry calls out. A name is resolved once, by the connection itself, and every address
 * that comes back is judged there: a name that changes its mind between check and call gains nothing.
 */
import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { type ClientRequest, type IncomingMessage, Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import type { Clock } from "../../kernel/clock.ts";
import { isAllowedHost, isPublicAddress, refusedUrl } from "./addresses.ts";

export interface OutboundRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
  timeoutMs: number;
}

export interface OutboundResponse {
  status: number;
  /** What the other side asks to wait, from `retry-after`. */
  retryAfterMs?: number;
  /** Its first bytes. */
  body: string;
}

/** `reason` is stable and safe to log; the address is not part of the message, for it may hold a token. */
export class OutboundFault extends Error {
  readonly reason: "refused_address" | "timeout" | "connection" | "closed";
  constructor(reason: OutboundFault["reason"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "OutboundFault";
    this.reason = reason;
  }
}

export interface Outbound {
  /** Never follows a redirect: it is answered like any other status. Rejects with an `OutboundFault`. */
  post(request: OutboundRequest): Promise<OutboundResponse>;
  /** Cuts off what is under way. */
  close(): void;
}

export interface OutboundOptions {
  clock: Clock;
  allowHosts: readonly string[];
  /** Resolves names; the system's unless told otherwise. */
  lookup?: typeof systemLookup;
}

const mostBodyBytes = 4096;

export function createOutbound({ clock, allowHosts, lookup = systemLookup }: OutboundOptions): Outbound {
  const agents = { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) };
  const open = new Set<ClientRequest>();
  const judged = judgedLookup(lookup);
  return {
    post(request) {
      const url = URL.parse(request.url);
      const refused = url === null ? "this is no URL" : refusedUrl(url, allowHosts);
      if (url === null || refused !== undefined)
        return Promise.reject(new OutboundFault("refused_address", refused ?? "this is no URL"));
      const secure = url.protocol === "https:";
      const options = {
        method: "POST",
        agent: secure ? agents.https : agents.http,
        headers: { ...request.headers, "content-length": Buffer.byteLength(request.body), "user-agent": "weir" },
        ...(!isAllowedHost(url, allowHosts) && { lookup: judged }),
      };
      const sent = secure ? httpsRequest(url, options) : httpRequest(url, options);
      open.add(sent);
      return exchange(clock, sent, request).finally(() => open.delete(sent));
    },
    close() {
      for (const sent of open) sent.destroy(new OutboundFault("closed", "the process is going down"));
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

const agentOptions = { keepAlive: true, maxSockets: 4, maxFreeSockets: 1 };

function exchange(clock: Clock, sent: ClientRequest, request: OutboundRequest): Promise<OutboundResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<OutboundResponse>();
  const stop = clock.after(request.timeoutMs, () =>
    sent.destroy(new OutboundFault("timeout", `no answer within ${request.timeoutMs} ms`)),
  );
  const fail = (fault: unknown) =>
    reject(fault instanceof OutboundFault ? fault : new OutboundFault("connection", codeOf(fault)));
  sent.on("error", fail);
  sent.on("response", (response) => {
    response.on("error", fail);
    readStart(response, (body) => {
      const retryAfterMs = retryAfter(response.headers["retry-after"], clock.now());
      resolve({ status: response.statusCode ?? 0, body, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    });
  });
  sent.end(request.body);
  return promise.finally(stop);
}

/** The error's code only: its message may name what a resolver or proxy said. */
const codeOf = (fault: unknown): string => `the call failed: ${(fault as { code?: string }).code ?? "unknown"}`;

/** Collects the first bytes and lets go of a body that does not end soon. */
function readStart(response: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = () => done(Buffer.concat(chunks).toString("utf8", 0, Math.min(bytes, mostBodyBytes)));
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < mostBodyBytes) return;
    finish();
    response.destroy();
  });
  response.on("end", finish);
}

/** Seconds or an HTTP date. */
function retryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

function judgedLookup(lookup: typeof systemLookup): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (fault, addresses) => {
      const list = addresses as LookupAddress[];
      if (fault) return done(fault, "", 0);
      if (list.length === 0 || !list.every(({ address }) => isPublicAddress(address)))
        return done(new OutboundFault("refused_address", "the name leads to an address that is not public"), "", 0);
      if (options.all) return done(null, list);
      return done(null, list[0]!.address, list[0]!.family);
    });
  };
}
