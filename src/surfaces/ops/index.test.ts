import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOpsServer } from "./index.ts";

let readiness: Record<string, true | string> = {};
let server: Server;
let origin: string;
beforeAll(async () => {
  server = createOpsServer({ readiness: () => readiness, metrics: () => "weir_x 1\n" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void (server.closeAllConnections(), server.close()));

describe("the ops port", () => {
  it.each([
    ["GET", "/livez", 200, "ok\n"],
    ["GET", "/livez?verbose", 200, "ok\n"],
    ["GET", "/metrics", 200, "weir_x 1\n"],
    ["GET", "/", 404, "not found; there is /livez, /readyz and /metrics\n"],
    ["GET", "/livez/x", 404, "not found; there is /livez, /readyz and /metrics\n"],
    ["POST", "/livez", 405, "method not allowed\n"],
  ])("%s %s: %s", async (method, path, status, body) => {
    const response = await fetch(origin + path, { method });
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("metrics say their format", async () => {
    const response = await fetch(`${origin}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  it.each([
    [{}, 200, true],
    [{ journal: true, draining: true } as const, 200, true],
    [{ journal: "the disk is full", models: true } as const, 503, false],
  ])("readyz with %j: %s; livez depends on nothing", async (probes, status, ready) => {
    readiness = { ...probes };
    const response = await fetch(`${origin}/readyz`);
    expect([response.status, await response.json()]).toEqual([status, { ready, probes }]);
    expect((await fetch(`${origin}/livez`)).status).toBe(200);
  });
});
