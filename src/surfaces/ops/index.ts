/**
 * The ops port: /livez, /readyz, /metrics, without credentials, bound to loopback unless configured. `livez` depends
 * on nothing; `readyz` turns 503 with the first moment of draining. It never shows a request's content.
 */
import { type Server, createServer } from "node:http";

export interface OpsProbes {
  /** By name: `true`, or what is wrong. */
  readiness(): Record<string, true | string>;
  metrics(): string;
}

export function createOpsServer(probes: OpsProbes): Server {
  return createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0];
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(body);
    };
    if (request.method !== "GET") return send(405, "text/plain", "method not allowed\n");
    if (path === "/livez") return send(200, "text/plain", "ok\n");
    if (path === "/metrics") return send(200, "text/plain; version=0.0.4; charset=utf-8", probes.metrics());
    if (path !== "/readyz") return send(404, "text/plain", "not found; there is /livez, /readyz and /metrics\n");
    const probesByName = probes.readiness();
    const ready = Object.values(probesByName).every((probe) => probe === true);
    return send(ready ? 200 : 503, "application/json", `${JSON.stringify({ ready, probes: probesByName })}\n`);
  });
}
