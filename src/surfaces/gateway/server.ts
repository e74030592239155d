/** The inference port: raw node:http, one router, hard limits on slow and oversized clients. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { type ErrorCode, type Refusal, codeOfFault, errorKinds, refuse } from "../../kernel/errors.ts";
import { newDecisionId } from "../../kernel/ids.ts";
import { type Exchange, type Gateway, openExchange } from "./exchange.ts";
import { problemOf, refusalHeaders, sendJson } from "./reply.ts";

/** Path segments matched by name; `:x` is any one segment that isn't empty. */
export interface Route {
  method: "GET" | "POST";
  path: string;
  /** Shapes a refusal for this route's clients. */
  refuse(exchange: Exchange, refusal: Refusal): void;
  handle(exchange: Exchange, parameters: Record<string, string>): Promise<void> | void;
}

export interface ServerOptions {
  routes: readonly Route[];
  /** Whatever is no inference route: admin and console. True when it took the request. */
  fallback?(request: IncomingMessage, response: ServerResponse): boolean;
  tls?: { cert: Uint8Array; key: Uint8Array };
}

export interface GatewayServer {
  server: Server;
  /** Resolves when no exchange is under way. */
  idle(): Promise<void>;
}

export function createGatewayServer(gateway: Gateway, options: ServerOptions): GatewayServer {
  const table = routeTable(options.routes);
  const running = new Set<Promise<void>>();
  const busy = new WeakMap<Socket, Exchange>();
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    const found = table(path);
    if (!found && options.fallback?.(request, response)) return;
    const exchange = openExchange(gateway, request, response);
    if (gateway.draining()) response.shouldKeepAlive = false;
    busy.set(request.socket, exchange);
    const handled = handle(gateway, exchange, found).finally(() => {
      running.delete(handled);
      busy.delete(request.socket);
    });
    running.add(handled);
  };
  const settings = {
    // 64 requests can wait on one connection at most; slow-loris is cut by the two timeouts.
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16 * 1024,
    // Node would answer a request without a host by itself, without a code: it is refused below.
    requireHostHeader: false,
  };
  const server = options.tls
    ? createTlsServer(
        { ...settings, cert: Buffer.from(options.tls.cert), key: Buffer.from(options.tls.key), minVersion: "TLSv1.2" },
        listener,
      )
    : createServer(settings, listener);
  // A body that tears while its request is answered is that request's refusal, not a second one.
  server.on("clientError", (fault: NodeJS.ErrnoException, socket: Socket) =>
    answerClientError(gateway, fault, socket, busy.get(socket)),
  );
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const exchange = openExchange(gateway, request, response);
    const refusal = refuse("malformed_request", "The only expectation that Weir meets is 100-continue.");
    gateway.countRefusal(refusal);
    refuseAsProblem(exchange, refusal);
  });
  return {
    server,
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

interface Found {
  byMethod: Map<string, Route>;
  parameters: Record<string, string>;
}

async function handle(gateway: Gateway, exchange: Exchange, found: Found | undefined): Promise<void> {
  const { request, response } = exchange;
  const route = found?.byMethod.get(request.method ?? "");
  // A wrong method on a known path is told in the shape of that path.
  const turnAway = (route ?? found?.byMethod.values().next().value)?.refuse ?? refuseAsProblem;
  const early = (refusal: Refusal) => {
    gateway.countRefusal(refusal);
    turnAway(exchange, refusal);
  };
  if (request.headers.host === undefined && request.httpVersion !== "1.0") {
    const hostless = refuse("malformed_request", "The request names no host.");
    gateway.countRefusal(hostless);
    return refuseAsProblem(exchange, hostless);
  }
  if (!found) return early(refuse("route_not_found"));
  if (!route) {
    response.setHeader("allow", [...found.byMethod.keys()].join(", "));
    return early(refuse("method_not_allowed"));
  }
  if (gateway.draining()) return early(refuse("draining", undefined, { retryAfterMs: 1000 }));
  try {
    await route.handle(exchange, found.parameters);
  } catch (fault) {
    gateway.report(fault);
    if (response.headersSent) response.destroy();
    else turnAway(exchange, refuse(codeOfFault(fault)));
  }
}

export function refuseAsProblem(exchange: Exchange, refusal: Refusal): void {
  const headers = { ...refusalHeaders(exchange.decision, refusal), "content-type": "application/problem+json" };
  sendJson(exchange.response, errorKinds[refusal.code].status, headers, problemOf(refusal, exchange.decision));
}

function routeTable(routes: readonly Route[]): (path: string) => Found | undefined {
  const fixed = new Map<string, Map<string, Route>>();
  const patterns: { segments: string[]; byMethod: Map<string, Route> }[] = [];
  for (const route of routes) {
    if (!route.path.includes(":")) {
      fixed.set(route.path, (fixed.get(route.path) ?? new Map()).set(route.method, route));
      continue;
    }
    const segments = route.path.split("/");
    const known = patterns.find((pattern) => pattern.segments.join("/") === route.path);
    if (known) known.byMethod.set(route.method, route);
    else patterns.push({ segments, byMethod: new Map([[route.method, route]]) });
  }
  return (path) => {
    const byMethod = fixed.get(path);
    if (byMethod) return { byMethod, parameters: {} };
    const segments = path.split("/");
    for (const pattern of patterns) {
      const parameters = match(pattern.segments, segments);
      if (parameters) return { byMethod: pattern.byMethod, parameters };
    }
    return undefined;
  };
}

function match(pattern: string[], segments: string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const given = segments[i]!;
    if (!part.startsWith(":")) {
      if (part !== given) return undefined;
      continue;
    }
    if (given === "") return undefined;
    try {
      parameters[part.slice(1)] = decodeURIComponent(given);
    } catch {
      return undefined;
    }
  }
  return parameters;
}

const parserCodes: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** What never became a request: torn, too slow, or absurd. Answered in the shape that every client can read. */
function answerClientError(gateway: Gateway, fault: NodeJS.ErrnoException, socket: Socket, exchange?: Exchange): void {
  if (fault.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refuse(parserCodes[fault.code ?? ""] ?? "malformed_request");
  // Of a request under way it is what its reader is told, which counts it.
  if (exchange) exchange.tear(refusal);
  else gateway.countRefusal(refusal);
  const id = exchange?.decision ?? newDecisionId(gateway.clock);
  const body = JSON.stringify(problemOf(refusal, id));
  const { status } = errorKinds[refusal.code];
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nx-weir-decision-id: ${id}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
