import { once } from "node:events";
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import {
  type Upstream,
  UpstreamFault,
  type UpstreamRequest,
  type UpstreamResponse,
  createUpstream,
} from "./upstream.ts";

const timeouts = { connectMs: 30_000, firstByteMs: 5000, idleMs: 2000 };
const open: { servers: Server[]; upstreams: Upstream[] } = { servers: [], upstreams: [] };

afterEach(async () => {
  await Promise.all(open.upstreams.splice(0).map((upstream) => upstream.close()));
  for (const server of open.servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A real server on loopback; `arrived` resolves with its first exchange, which nothing answers but the test. */
async function setUp(options: { listener?: RequestListener; connections?: number } = {}) {
  const first = Promise.withResolvers<{ request: IncomingMessage; response: ServerResponse }>();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    first.resolve({ request, response });
    options.listener?.(request, response);
  });
  open.servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const clock = new VirtualClock();
  const upstream = createUpstream({
    clock,
    ...(options.connections !== undefined && { connections: options.connections }),
  });
  open.upstreams.push(upstream);
  const client = new AbortController();
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat?x=1`);
  const send = (over: Partial<UpstreamRequest> = {}) =>
    upstream.send({
      url,
      headers: { "x-key": "k", "content-type": "application/json" },
      body: "{}",
      signal: client.signal,
      timeouts,
      ...over,
    });
  return { clock, upstream, client, send, arrived: first.promise, requests: () => requests, url };
}

const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no fault",
    (fault: unknown) => (fault instanceof UpstreamFault ? fault.reason : `another fault: ${String(fault)}`),
  );
async function drain(response: UpstreamResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
/** The server has learnt that the client hung up. */
const hungUp = (response: ServerResponse) => (response.destroyed ? Promise.resolve() : once(response, "close"));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  for (let i = 0; i < 5; i++) await turn();
  return Promise.race([
    promise.then(
      () => false,
      () => false,
    ),
    turn().then(() => true),
  ]);
}

describe("upstream: whole answers", () => {
  it("sends method, path, headers and body; hands over status, headers and bytes", async () => {
    const { send, arrived } = await setUp({
      listener: (request, response) => {
        request.resume();
        response.writeHead(201, { "x-answer": "yes" });
        response.write("one ");
        response.end("two");
      },
    });
    const response = await send({ body: '{"a":1}' });
    const { request } = await arrived;
    expect([request.method, request.url, request.headers["x-key"], request.headers["content-length"]]).toEqual([
      "POST",
      "/v1/chat?x=1",
      "k",
      "7",
    ]);
    expect([response.status, response.headers["x-answer"]]).toEqual([201, "yes"]);
    expect(await drain(response)).toBe("one two");
  });

  it("a refusal by the vendor is an answer, not a fault", async () => {
    const { send } = await setUp({
      listener: (_request, response) => response.writeHead(429, { "retry-after": "7" }).end("busy"),
    });
    const response = await send();
    expect([response.status, response.headers["retry-after"], await drain(response)]).toEqual([429, "7", "busy"]);
  });

  it("informational responses are not the answer", async () => {
    const { send } = await setUp({
      listener: (_request, response) => {
        response.writeProcessing();
        response.writeEarlyHints({ link: "</a>; rel=preload" });
        response.writeHead(200).end("ok");
      },
    });
    const response = await send();
    expect([response.status, await drain(response)]).toEqual([200, "ok"]);
  });

  it("leaves no timer behind", async () => {
    const { send, clock } = await setUp({ listener: (_request, response) => response.end("ok") });
    await drain(await send());
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("upstream: connections", () => {
  it("nobody listens: connect_failed, and no timer is left", async () => {
    const { send, clock, url } = await setUp();
    const [server] = open.servers.splice(0);
    await new Promise((resolve) => server!.close(resolve));
    expect(await reasonOf(send({ url }))).toBe("connect_failed");
    expect(clock.pendingTimers).toBe(0);
  });

  it("waiting for a free connection counts as waiting for one: connect_timeout, and it is never sent", async () => {
    const { send, clock, arrived, requests } = await setUp({ connections: 1 });
    const first = send({ timeouts: { ...timeouts, firstByteMs: 1_000_000 } });
    const { response } = await arrived;
    const second = reasonOf(send());
    await clock.advance(timeouts.connectMs + timeouts.firstByteMs - 1);
    expect(await isPending(second)).toBe(true);
    await clock.advance(1);
    expect(await second).toBe("connect_timeout");
    response.end("late");
    expect(await drain(await first)).toBe("late");
    for (let i = 0; i < 10; i++) await turn();
    expect(requests()).toBe(1);
  });

  it("close ends what is running", async () => {
    const { send, arrived, upstream } = await setUp();
    const waiting = reasonOf(send());
    await arrived;
    await upstream.close();
    expect(await waiting).toBe("reset");
  });
});

describe("upstream: three waits", () => {
  it("first_byte_timeout: at its time, not before, and the vendor is hung up on", async () => {
    const { send, arrived, clock } = await setUp();
    const waiting = reasonOf(send());
    const { response } = await arrived;
    await clock.advance(timeouts.firstByteMs - 1);
    expect(await isPending(waiting)).toBe(true);
    await clock.advance(1);
    expect(await waiting).toBe("first_byte_timeout");
    await hungUp(response);
    expect(clock.pendingTimers).toBe(0);
  });

  it("idle_timeout: what had arrived is still read, then the fault", async () => {
    const { send, arrived, clock } = await setUp();
    const sending = send();
    const { response } = await arrived;
    response.write("one");
    const body = (await sending).body[Symbol.asyncIterator]();
    expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe("one");
    const next = reasonOf(body.next());
    await clock.advance(timeouts.idleMs - 1);
    expect(await isPending(next)).toBe(true);
    await clock.advance(1);
    expect(await next).toBe("idle_timeout");
    await hungUp(response);
    expect(clock.pendingTimers).toBe(0);
  });

  it("every chunk starts the idle wait anew", async () => {
    const { send, arrived, clock } = await setUp();
    const sending = send();
    const { response } = await arrived;
    response.flushHeaders();
    const body = (await sending).body[Symbol.asyncIterator]();
    for (const word of ["a", "b", "c"]) {
      await clock.advance(timeouts.idleMs - 1);
      response.write(word);
      expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe(word);
    }
    response.end();
    expect((await body.next()).done).toBe(true);
  });
});

describe("upstream: the whole attempt and its rate", () => {
  it("total_timeout: at its time, however lively the stream is", async () => {
    const { send, arrived, clock } = await setUp();
    const sending = send({ timeouts: { ...timeouts, totalMs: 3000 } });
    const { response } = await arrived;
    response.write("a");
    const body = (await sending).body[Symbol.asyncIterator]();
    await body.next();
    await clock.advance(1500);
    response.write("b");
    expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe("b");
    const next = reasonOf(body.next());
    await clock.advance(1499);
    expect(await isPending(next)).toBe(true);
    await clock.advance(1);
    expect(await next).toBe("total_timeout");
    await hungUp(response);
    expect(clock.pendingTimers).toBe(0);
  });

  it("total_timeout: before the headers too", async () => {
    const { send, arrived, clock } = await setUp();
    const waiting = reasonOf(send({ timeouts: { ...timeouts, totalMs: 3000 } }));
    await arrived;
    await clock.advance(3000);
    expect(await waiting).toBe("total_timeout");
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ["less than the least rate: too_slow", "x", "too_slow"],
    ["the least rate and more: goes on", "x".repeat(5), undefined],
  ])("a drip of %s", async (_name, drop, expected) => {
    const { send, arrived, clock } = await setUp();
    const sending = send({ timeouts: { ...timeouts, minBytesPerSecond: 4 } });
    const { response } = await arrived;
    response.flushHeaders();
    const body = (await sending).body[Symbol.asyncIterator]();
    let end: string | undefined;
    for (let second = 0; second < 24 && end === undefined; second++) {
      response.write(drop);
      end = await body.next().then(
        () => undefined,
        (fault: UpstreamFault) => fault.reason,
      );
      await clock.advance(1000);
    }
    expect(end).toBe(expected);
    await body.return?.();
    expect(clock.pendingTimers).toBe(0);
  });

  it("a reader's own pause is not the vendor's slowness", async () => {
    const { send, arrived, clock } = await setUp();
    const sending = send({ timeouts: { ...timeouts, minBytesPerSecond: 4 } });
    const { response } = await arrived;
    const full = once(response, "drain");
    const big = Buffer.alloc(8 << 20);
    response.write(big);
    const body = (await sending).body[Symbol.asyncIterator]();
    await clock.advance(60_000);
    let read = 0;
    while (read < big.length) read += ((await body.next()).value as Uint8Array).length;
    await full;
    expect(read).toBe(big.length);
    await body.return?.();
  });
});

describe("upstream: resets", () => {
  const rows: [string, (response: ServerResponse) => void][] = [
    ["before headers", (response) => response.destroy()],
    [
      "in the middle of a counted body",
      (response) => response.writeHead(200, { "content-length": "10" }).write("abc", () => response.destroy()),
    ],
    ["in the middle of a chunked body", (response) => response.writeHead(200).write("abc", () => response.destroy())],
    [
      "with a clean end in the middle of a body",
      (response) => response.writeHead(200, { "content-length": "10" }).write("abc", () => response.socket!.end()),
    ],
  ];
  it.each(rows)("%s: reset, never a short answer taken for a whole one", async (_when, breaks) => {
    const { send, clock } = await setUp({ listener: (_request, response) => breaks(response) });
    expect(await reasonOf(send().then(drain))).toBe("reset");
    expect(clock.pendingTimers).toBe(0);
  });

  it("what is no HTTP is a reset", async () => {
    const { send } = await setUp({ listener: (_request, response) => response.socket!.end("SSH-2.0-OpenSSH\r\n") });
    expect(await reasonOf(send().then(drain))).toBe("reset");
  });
});

describe("upstream: aborts", () => {
  it("before it is sent: nothing is", async () => {
    const { send, client, requests } = await setUp();
    client.abort();
    expect(await reasonOf(send())).toBe("aborted");
    expect(requests()).toBe(0);
  });

  it("before headers: the vendor is hung up on", async () => {
    const { send, client, arrived, clock } = await setUp();
    const waiting = reasonOf(send());
    const { response } = await arrived;
    client.abort();
    expect(await waiting).toBe("aborted");
    await hungUp(response);
    expect(clock.pendingTimers).toBe(0);
  });

  it("while the reader waits for more", async () => {
    const { send, client, arrived, clock } = await setUp();
    const sending = send();
    const { response } = await arrived;
    response.write("one");
    const body = (await sending).body[Symbol.asyncIterator]();
    await body.next();
    const next = reasonOf(body.next());
    client.abort();
    expect(await next).toBe("aborted");
    await hungUp(response);
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaving the loop early hangs up on the vendor", async () => {
    const { send, arrived, clock } = await setUp();
    const sending = send();
    const { response } = await arrived;
    response.write("one");
    for await (const _chunk of (await sending).body) break;
    await hungUp(response);
    expect(clock.pendingTimers).toBe(0);
  });

  it("after the end an abort changes nothing", async () => {
    const { send, client } = await setUp({ listener: (_request, response) => response.end("ok") });
    const response = await send();
    expect(await drain(response)).toBe("ok");
    client.abort();
    expect(await drain(response)).toBe("");
  });
});

describe("upstream: back-pressure", () => {
  const chunk = Buffer.alloc(256 * 1024, 120);
  const chunks = 128;

  it("a reader who stops stops the vendor, is not idle meanwhile, and still gets everything", async () => {
    let sent = 0;
    const { send, clock } = await setUp({
      listener: (_request, response) => {
        const more = () => {
          while (sent < chunks) {
            sent += 1;
            if (!response.write(chunk)) return void response.once("drain", more);
          }
          response.end();
        };
        more();
      },
    });
    const response = await send();
    const body = response.body[Symbol.asyncIterator]();
    let got = ((await body.next()).value as Uint8Array).length;
    for (let quiet = 0, last = -1; quiet < 200; await turn()) {
      quiet = sent === last ? quiet + 1 : 0;
      last = sent;
    }
    expect(sent).toBeLessThan(chunks);
    await clock.advance(timeouts.idleMs * 2);
    for (let next = await body.next(); !next.done; next = await body.next()) got += next.value.length;
    expect(got).toBe(chunk.length * chunks);
    expect(sent).toBe(chunks);
  });
});
