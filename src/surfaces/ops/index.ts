/**
 * The ops port: /livez, /readyz, /metrics, without credentials, bound to loopback unless configured. `livez` depends
 * on nothing; `readyz` turns 503 with the first moment of draining. It never shows a request's content.
 */
import { type IncomingMessage, type Server, createServer } from "node:http";

export interface OpsProbes {
  /** By name: `true`, or what is wrong. */
  readiness(): Record<string, true | string>;
  metrics(): string;
  /** Told of a probe or a metric that throws; the client sees 500 and none of its words. */
  report?(fault: unknown): void;
}

interface Reply {
  status: number;
  type: string;
  body: string;
}

export function createOpsServer(probes: OpsProbes): Server {
  return createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) => {
    const { status, type, body } = guarded(probes, request);
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    // Of an answer to HEAD, node sends the headers only.
    response.end(body);
  });
}

/** A listener that throws ends the process, and with it every decision under way: no probe is worth that. */
function guarded(probes: OpsProbes, request: IncomingMessage): Reply {
  try {
    return reply(probes, request);
  } catch (fault) {
    probes.report?.(fault);
    return text(500, "this probe failed; the process goes on and its log may say why\n");
  }
}

function reply(probes: OpsProbes, request: IncomingMessage): Reply {
  const path = (request.url ?? "/").split("?", 1)[0];
  if (request.method !== "GET" && request.method !== "HEAD") return text(405, "method not allowed\n");
  if (path === "/livez") return text(200, "ok\n");
  if (path === "/metrics")
    return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: probes.metrics() };
  if (path !== "/readyz") return text(404, "not found; there is /livez, /readyz and /metrics\n");
  const probesByName = probes.readiness();
  const ready = Object.values(probesByName).every((probe) => probe === true);
  const body = `${JSON.stringify({ ready, probes: probesByName })}\n`;
  return { status: ready ? 200 : 503, type: "application/json", body };
}

const text = (status: number, body: string): Reply => ({ status, type: "text/plain", body });
