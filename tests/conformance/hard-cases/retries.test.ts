/** Hard cases 15 to 17 beside `../resilience.test.ts`: streams that are tried again, TLS that can't be trusted, keys that die. */
import { readFileSync } from "node:fs";
import { type Server, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, metric, recordOf, startOnClock, told, type TimedHouse, WatchedClock } from "../../faults/vendor-house.ts";
import { nothingLeft } from "./hard-house.ts";
import { type RawScript, type RawVendor, inPieces, startRawVendor } from "./raw-vendor.ts";
import { wholeStream, wires } from "./wire.ts";

const price = 'price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000';
const config = (origin: string, tls: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants: { lindenbank: {} }
vendors:
  oa: { dialect: openai, base_url: "${origin}/v1", region: eu, keys: [{ env: KEY_A }, { env: KEY_B }] }
  an: { dialect: anthropic, base_url: "${origin}", region: eu, key: { env: KEY_C } }
  other: { dialect: openai, base_url: "${origin}/other/v1", region: eu }
  untrusted: { dialect: openai, base_url: "${tls}/v1", region: eu, key: { env: KEY_A } }
models:
  oa-main: { vendor: oa, model: m, ${price} }
  an-main: { vendor: an, model: m, ${price} }
  other-main: { vendor: other, model: m, ${price} }
  untrusted-main: { vendor: untrusted, model: m, ${price} }
use_cases:
  keys: { kind: chat, ladder: [oa-main], retries: 0 }
  again: { kind: chat, ladder: [an-main], retries: 1 }
  next: { kind: chat, ladder: [an-main, other-main], retries: 1 }
  untrusted: { kind: chat, ladder: [untrusted-main, other-main], retries: 0 }
`;
const secrets = { KEY_A: "key-a", KEY_B: "key-b", KEY_C: "key-c" };
const pem = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");

let vendor: RawVendor;
let tls: Server;
let tlsCalls = 0;
let house: TimedHouse;
let clock: WatchedClock;
beforeAll(async () => {
  vendor = await startRawVendor();
  tls = createServer({ cert: pem("test-only-cert.pem"), key: pem("test-only-key.pem") }, (_request, response) => {
    tlsCalls += 1;
    response.end("{}");
  });
  await new Promise<void>((done) => tls.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  tls.closeAllConnections();
  await new Promise<void>((done) => tls.close(() => done()));
  await vendor.close();
});
// A house of its own for each test: what it has learnt of targets and keys must not leak into the next.
beforeEach(async () => {
  vendor.reset();
  clock = new WatchedClock();
  const at = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
  house = await startOnClock(clock, config(vendor.origin, at), undefined, secrets);
  return () => house.close();
});

const put = async (useCase: string, more: Partial<Parameters<typeof ask>[2]> = {}) =>
  told(await ask(house.origin, house.key, { useCase, stream: true, ...more }));
const recordFor = (headers: Headers) => recordOf(house, headers.get("x-weir-decision-id"));
const says =
  (status: number, headers = ""): RawScript =>
  ({ socket }) =>
    void socket.write(`HTTP/1.1 ${status} No\r\n${headers}content-length: 2\r\n\r\n{}`);

describe("case 15: 429 before a stream", () => {
  it("is waited for, then the stream comes, and every other request leaves the vendor alone meanwhile", async () => {
    vendor.play(says(429, "retry-after: 1\r\n"), inPieces([wholeStream("an-main", "Now.")]));
    const pending = put("again");
    const delayMs = await clock.sleepNumber(0);
    expect(delayMs).toBeGreaterThanOrEqual(1000);
    await clock.advance(delayMs);
    const answer = await pending;
    expect(answer).toMatchObject({ text: "Now.", whole: true });
    expect((await recordFor(answer.headers)).attempts).toMatchObject([
      { status: "failed", reason: expect.stringMatching(/^http_429/), cost_nano_usd: 0 },
      { status: "ok" },
    ]);
  });

  it("for an hour: the next target answers at once, for this request and the next ones", async () => {
    vendor.play(says(429, "retry-after: 3600\r\n"));
    vendor.fallback(inPieces([wholeStream("oa-main", "From the other.")]));
    for (let n = 0; n < 3; n++) expect(await put("next")).toMatchObject({ text: "From the other.", whole: true });
    expect(clock.sleeps).toEqual([]);
    expect(vendor.calls.map(({ path }) => path)).toEqual([
      "/v1/messages",
      ...Array<string>(3).fill("/other/v1/chat/completions"),
    ]);
  });
});

describe("case 16: a key that dies", () => {
  it("is left out, and the stream comes with the next one", async () => {
    vendor.play(says(401), inPieces([wholeStream("oa-main", "With the other key.")]));
    expect(await put("keys")).toMatchObject({ text: "With the other key.", whole: true });
    const states = [...house.house.vendorKeys.of(house.house.path.snapshot().vendors.get("oa")!)];
    expect(states.map(({ state }) => state)).toEqual(["dead", "live"]);
  });

  it("is counted in the metrics that operators watch", async () => {
    vendor.play(says(401), inPieces([wholeStream("oa-main", "With the other key.")]));
    await put("keys");
    expect(metric(house, "weir_vendor_keys", 'state="dead"')).toBe(1);
  });
});

describe("case 17: both attempts are in the ledger", () => {
  it("a stream that failed after it had counted its input is booked with that, beside the one that answered", async () => {
    vendor.play(
      inPieces([
        wires["an-main"].opening,
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
      ]),
      inPieces([wholeStream("an-main", "At last.")]),
    );
    const pending = put("again");
    await clock.advance(await clock.sleepNumber(0));
    const answer = await pending;
    expect(answer).toMatchObject({ text: "At last.", whole: true });
    const { attempts, settled } = await recordFor(answer.headers);
    expect(attempts).toMatchObject([
      { status: "failed", reason: "vendor_error", usage: { input: 7, estimated: true } },
      { status: "ok", usage: { input: 7, output: 5, estimated: false }, cost_nano_usd: 17_000 },
    ]);
    expect(attempts[0]!.cost_nano_usd).toBeGreaterThanOrEqual(7000);
    expect(settled[0]!.cost_nano_usd).toBe(attempts[0]!.cost_nano_usd + 17_000);
    await nothingLeft(house);
  });

  it.each([false, true])(
    "a certificate that nobody vouches for: nothing is sent, nothing booked, the next rung (stream %s)",
    async (stream) => {
      const whole =
        '{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Safe."},"finish_reason":"stop"}]}';
      vendor.fallback(
        stream
          ? inPieces([wholeStream("oa-main", "Safe.")])
          : ({ socket }) => void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${whole.length}\r\n\r\n${whole}`),
      );
      const answer = await put("untrusted", { stream });
      expect(answer).toMatchObject({ status: 200, text: "Safe." });
      expect(tlsCalls).toBe(0);
      const { attempts } = await recordFor(answer.headers);
      expect(attempts).toMatchObject([
        { status: "failed", reason: "connect_failed", cost_nano_usd: 0, usage: { input: 0, output: 0 } },
        { status: "ok" },
      ]);
    },
  );
});
