import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { type Refusal, WeirError } from "../../kernel/errors.ts";
import type { Exchange, Gateway } from "./exchange.ts";
import { sendJson } from "./reply.ts";
import { type Route, createGatewayServer, refuseAsProblem } from "./server.ts";

let draining = false;
const counted: string[] = [];
const reported: unknown[] = [];
const gateway: Gateway = {
  clock: new VirtualClock(),
  decide: () => expect.unreachable(),
  countRefusal: (refusal) => counted.push(refusal.code),
  report: (fault) => reported.push(fault),
  draining: () => draining,
  maxBodyBytes: 32 * 2 ** 20,
};
const held: { exchange?: Exchange; arrived: PromiseWithResolvers<Exchange> } = { arrived: Promise.withResolvers() };
const route = (
  method: Route["method"],
  path: string,
  handle: Route["handle"],
  refuse: Route["refuse"] = refuseAsProblem,
): Route => ({ method, path, refuse, handle });
const echo =
  (name: string): Route["handle"] =>
  (exchange, parameters) =>
    sendJson(exchange.response, 200, {}, { name, parameters });
const ownWords = (exchange: Exchange, refusal: Refusal) => sendJson(exchange.response, 400, {}, { own: refusal.code });

const routes = [
  route("GET", "/v1/models", echo("list")),
  route("GET", "/v1/models/:model", echo("one")),
  route("POST", "/v1/models/:model", echo("post one")),
  route("POST", "/v1/decisions/:use_case", echo("decide")),
  route("GET", "/v1/decisions/:use_case/:id", echo("two")),
  route("POST", "/throws", () => {
    throw new Error("secret detail");
  }),
  route("POST", "/rejects", async () => Promise.reject(new WeirError("guard_failed", "secret detail"))),
  route("POST", "/own-words", () => Promise.reject(new Error("x")), ownWords),
  route("GET", "/half", (exchange) => {
    exchange.response.writeHead(200, { "content-length": "10" }).write("half");
    throw new Error("in the middle");
  }),
  route("GET", "/held", (exchange) => held.arrived.resolve(exchange)),
];

let server: Server;
let port: number;
let origin: string;
beforeAll(async () => {
  ({ server } = createGatewayServer(gateway, {
    routes,
    fallback: (request, response) => {
      if (!request.url!.startsWith("/console/")) return false;
      response.end("console");
      return true;
    },
  }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => void (server.closeAllConnections(), server.close()));
beforeEach(() => {
  draining = false;
  counted.length = 0;
  reported.length = 0;
  held.arrived = Promise.withResolvers();
});
const ask = async (method: string, path: string) => {
  const response = await fetch(origin + path, { method });
  return { response, body: (await response.json()) as Record<string, unknown> };
};

describe("routing", () => {
  it.each([
    ["GET", "/v1/models", "list", {}],
    ["GET", "/v1/models?limit=1", "list", {}],
    ["GET", "/v1/models/assistant", "one", { model: "assistant" }],
    ["GET", "/v1/models/a%2Fb%20c", "one", { model: "a/b c" }],
    ["GET", "/v1/models/__proto__", "one", { model: "__proto__" }],
    ["POST", "/v1/models/assistant", "post one", { model: "assistant" }],
    ["POST", "/v1/decisions/credit", "decide", { use_case: "credit" }],
    ["GET", "/v1/decisions/credit/dec_1", "two", { use_case: "credit", id: "dec_1" }],
  ])("%s %s → %s %j", async (method, path, name, parameters) => {
    const { response, body } = await ask(method, path);
    expect([response.status, body]).toEqual([200, { name, parameters }]);
    expect(counted).toEqual([]);
  });

  it.each([
    ["/"],
    ["/v1"],
    ["/v1/models/a/b/c"],
    ["/v1/models/%zz"],
    ["/v1/models/"],
    ["/v1/models/?limit=1"],
    ["/v1/decisions//dec_1"],
    ["/v1/decisions/credit/"],
    ["/V1/models"],
    ["/v1//models"],
    ["/toString"],
  ])("GET %s: there is nothing", async (path) => {
    const { response, body } = await ask("GET", path);
    expect([response.status, body["code"]]).toEqual([404, "route_not_found"]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(counted).toEqual(["route_not_found"]);
  });

  it.each([
    ["POST", "/v1/models", "GET"],
    ["DELETE", "/v1/models/assistant", "GET, POST"],
    ["PUT", "/v1/decisions/credit", "POST"],
  ])("%s %s: 405, and Allow says what would go", async (method, path, allow) => {
    const { response, body } = await ask(method, path);
    expect([response.status, body["code"], response.headers.get("allow")]).toEqual([405, "method_not_allowed", allow]);
    expect(counted).toEqual(["method_not_allowed"]);
  });

  it("what is no route may be the console's", async () => {
    expect(await (await fetch(`${origin}/console/x`)).text()).toBe("console");
    expect(counted).toEqual([]);
  });
});

describe("faults", () => {
  it.each([
    ["/throws", 500, "internal"],
    ["/rejects", 503, "guard_failed"],
  ])("%s: reported, answered with the code and nothing of the cause", async (path, status, code) => {
    const { response, body } = await ask("POST", path);
    expect([response.status, body["code"]]).toEqual([status, code]);
    expect(JSON.stringify(body)).not.toContain("secret");
    expect(reported).toHaveLength(1);
  });

  it("in the route's own words", async () => {
    expect((await ask("POST", "/own-words")).body).toEqual({ own: "internal" });
  });

  it("in the middle of an answer the connection breaks: half is never taken for whole", async () => {
    await expect(fetch(`${origin}/half`).then((response) => response.text())).rejects.toThrow();
    expect(reported).toHaveLength(1);
  });
});

describe("draining", () => {
  it("says so from the first moment, and closes the connection", async () => {
    draining = true;
    const { response, body } = await ask("GET", "/v1/models");
    expect([
      response.status,
      body["code"],
      response.headers.get("retry-after"),
      response.headers.get("connection"),
    ]).toEqual([503, "draining", "1", "close"]);
    expect(counted).toEqual(["draining"]);
  });
});

describe("the client", () => {
  it("going away aborts the exchange with client_gone", async () => {
    const gone = new AbortController();
    const asking = fetch(`${origin}/held`, { signal: gone.signal }).catch(() => "gone");
    const { signal } = await held.arrived.promise;
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", resolve));
    gone.abort();
    await aborted;
    expect(signal.reason).toMatchObject({ code: "client_gone" });
    expect(await asking).toBe("gone");
  });

  it("an answer that was complete aborts nothing", async () => {
    const asking = fetch(`${origin}/held`);
    const exchange = await held.arrived.promise;
    const closed = once(exchange.response, "close");
    sendJson(exchange.response, 200, {}, {});
    await (await asking).json();
    await closed;
    expect(exchange.signal.aborted).toBe(false);
  });

  const rawly = async (bytes: string): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(bytes);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    return text;
  };
  it.each([
    ["what is no HTTP", "SSH-2.0-OpenSSH_9\r\n\r\n", 400, "malformed_request"],
    [
      "headers beyond measure",
      `GET / HTTP/1.1\r\nhost: x\r\nx-big: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "headers_too_large",
    ],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
      400,
      "malformed_request",
    ],
    [
      "length and chunks: a smuggler's request",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "malformed_request",
    ],
    ["a line break in a header's name", "GET / HTTP/1.1\r\nhost: x\r\nbad\nname: x\r\n\r\n", 400, "malformed_request"],
  ])("%s: answered in a shape that can be read, counted, closed", async (_what, bytes, status, code) => {
    const text = await rawly(bytes);
    const [head, body] = text.split("\r\n\r\n") as [string, string];
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain("connection: close");
    expect(JSON.parse(body)).toMatchObject({ code, status });
    expect(counted).toContain(code);
  });
});

it("slow and oversized clients meet hard limits", () => {
  expect([server.headersTimeout, server.requestTimeout, server.keepAliveTimeout]).toEqual([10_000, 60_000, 65_000]);
});
