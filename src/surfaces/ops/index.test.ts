import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOpsServer } from "./index.ts";

let readiness: Record<string, true | string> = {};
let failing = false;
const reported: unknown[] = [];
const fail = (what: string): never => {
  throw new Error(`${what} of /secret/path`);
};
let server: Server;
let origin: string;
beforeAll(async () => {
  server = createOpsServer({
    readiness: () => (failing ? fail("probe") : readiness),
    metrics: () => (failing ? fail("metric") : "weir_x 1\n"),
    report: (fault) => void reported.push(fault),
  });
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
    ["HEAD", "/livez", 200, ""],
    ["HEAD", "/none", 404, ""],
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

  it.each([
    ["/readyz", "probe of /secret/path"],
    ["/metrics", "metric of /secret/path"],
  ])("%s whose source throws: 500 without the fault's words, which are reported", async (path, message) => {
    reported.length = 0;
    failing = true;
    const response = await fetch(origin + path).finally(() => void (failing = false));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(reported).toEqual([new Error(message)]);
    expect((await fetch(`${origin}/livez`)).status).toBe(200);
    expect(reported).toHaveLength(1);
  });

  it("answers 500 all the same where nobody wants the report", async () => {
    const alone = createOpsServer({ readiness: () => fail("probe"), metrics: () => "" });
    alone.listen(0, "127.0.0.1");
    await once(alone, "listening");
    const response = await fetch(`http://127.0.0.1:${(alone.address() as AddressInfo).port}/readyz`);
    expect(response.status).toBe(500);
    await response.text();
    alone.closeAllConnections();
    alone.close();
  });
});
