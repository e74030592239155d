/** Slow-loris: headers or a body that never end are cut off with an answer, by the server's own clock. */
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import { type Refusal, errorKinds, isRefusal } from "../../src/kernel/errors.ts";
import { decisionRoutes } from "../../src/surfaces/decisions/index.ts";
import { createGatewayServer } from "../../src/surfaces/gateway/index.ts";
import { open } from "./raw-http.ts";

let server: Server;
afterEach(
  () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
);

/** The real server over a path that only reads: nothing else is needed to be slow. */
async function listen() {
  const refused: Refusal[] = [];
  const gateway = {
    clock: systemClock,
    decide: async (call: Parameters<Parameters<typeof decisionRoutes>[0]["decide"]>[0]) => {
      const ask = await call.read();
      if (!isRefusal(ask)) throw new Error("the body never ends");
      refused.push(ask);
      return { decision: call.decision, outcome: { type: "refused" as const, refusal: ask } };
    },
    countRefusal: (refusal: Refusal) => void refused.push(refusal),
    report: (fault: unknown) => {
      throw fault;
    },
    draining: () => false,
    maxBodyBytes: 32 * 2 ** 20,
  };
  server = createGatewayServer(gateway, { routes: decisionRoutes(gateway) }).server;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, refused };
}

describe("a client that stops in the middle", () => {
  it("has limits on headers and on the whole request", async () => {
    await listen();
    expect(server.headersTimeout).toBeGreaterThan(0);
    expect(server.headersTimeout).toBeLessThanOrEqual(30_000);
    expect(server.requestTimeout).toBeGreaterThan(0);
    expect(server.requestTimeout).toBeLessThanOrEqual(120_000);
    expect(server.maxHeadersCount === null || server.maxHeadersCount > 0).toBe(true);
  });

  it.each([
    ["of its headers", "POST /v1/decisions/credit HTTP/1.1\r\nhost: x\r\nx-slow: "],
    [
      "of its body",
      "POST /v1/decisions/credit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    ],
  ])("%s is told so and cut off", async (_, text) => {
    const { origin, refused } = await listen();
    // Shorter than in production; the server looks at its connections every two seconds.
    Object.assign(server, { headersTimeout: 1, requestTimeout: 1 });
    const exchange = open(origin);
    exchange.send(text);
    const { status, headers, body } = await exchange.answer;
    await exchange.closed;
    expect(status).toBe(408);
    expect(headers["connection"]).toBe("close");
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ code: "request_timeout", fix: errorKinds.request_timeout.fix });
    // Counted once, however it was noticed.
    expect(refused.filter(({ code }) => code === "request_timeout")).toHaveLength(1);
    expect(headers["x-weir-decision-id"]).toMatch(/^dec_/);
  });
});
