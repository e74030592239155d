/** Idempotency keys: one vendor call and one answer, whatever is repeated, broken off or restarted in between. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { type TestHouse, startHouse } from "../fixtures/house.ts";
import { ask, gatedFiles, leftovers, metric, recordOf, told, turns, until, vendorConfig } from "./vendor-house.ts";

const useCases = `
chat: { kind: chat, ladder: [oa-main], retries: 0 }
cross: { kind: chat, ladder: [an-main], retries: 0 }
digest: { kind: chat, risk: minimal, record: digest, ladder: [oa-main], retries: 0 }
tight: { kind: chat, ladder: [oa-main], retries: 0, limits: { requests_per_minute: 1 } }
`;

let vendor: ScriptedVendor;
let house: TestHouse;
let key: string;
const files = () => ({ "weir.yaml": vendorConfig(vendor.origin, useCases) });
beforeAll(async () => {
  vendor = await startScriptedVendor();
  house = await startHouse({ files: files() });
  key = house.mintKey();
});
afterAll(async () => {
  await house.stop();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const named = (name: string) => ({ "idempotency-key": name });
const put = (name: string, more: Partial<Parameters<typeof ask>[2]> = {}) =>
  ask(house.origin, key, { useCase: "chat", headers: named(name), ...more });

describe.each([
  ["whole", false],
  ["streaming", true],
])("a repeated key, %s", (how, stream) => {
  it.each(["chat", "cross", "digest"])("gets the same answer and no second vendor call (%s)", async (useCase) => {
    vendor.play({ text: "The one answer.", usage: { input: 5, output: 4 } }, { text: "Another answer." });
    const name = `${how}-${useCase}`;
    const first = await told(await put(name, { useCase, stream }));
    const replays = metric(house, "weir_replays_total");
    const second = await told(await put(name, { useCase, stream }));
    expect(first).toMatchObject({ status: 200, text: "The one answer.", whole: true });
    expect(second).toMatchObject({ status: 200, text: "The one answer.", whole: true });
    expect(first.headers.get("x-weir-replayed")).toBeNull();
    expect(second.headers.get("x-weir-replayed")).toBe("true");
    expect(second.headers.get("x-weir-decision-id")).toBe(first.headers.get("x-weir-decision-id"));
    expect(vendor.received).toHaveLength(1);
    expect(metric(house, "weir_replays_total")).toBe(replays + 1);
    const record = await recordOf(house, first.headers.get("x-weir-decision-id"));
    expect([record.begun.length, record.attempts.length, record.settled.length]).toEqual([1, 1, 1]);
  });

  it("never names an answer after another decision than its headers do", async () => {
    vendor.play({ text: "The one answer." });
    const first = await told(await put(`id-${how}`, { useCase: "cross", stream }));
    const second = await told(await put(`id-${how}`, { useCase: "cross", stream }));
    const idIn = (body: string) => /"id":"chatcmpl-(dec_[^"]+)"/.exec(body)?.[1];
    expect(idIn(first.body)).toBe(first.headers.get("x-weir-decision-id"));
    expect(idIn(second.body)).toBe(second.headers.get("x-weir-decision-id"));
  });

  it("with another body is refused", async () => {
    await told(await put(`other-${how}`, { stream }));
    const second = await told(await put(`other-${how}`, { stream, text: "Something else?" }));
    expect(second).toMatchObject({ status: 422, code: "idempotency_mismatch" });
    expect(vendor.received).toHaveLength(1);
  });

  it("that is still in flight is refused with a wait, and answered later", async () => {
    const open = Promise.withResolvers<void>();
    vendor.play({ text: "Slow but sure.", before: open.promise });
    const first = put(`flight-${how}`, { stream });
    await vendor.arrival(0);
    const second = await told(await put(`flight-${how}`, { stream }));
    expect(second).toMatchObject({ status: 409, code: "idempotency_in_flight" });
    expect(Number(second.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    open.resolve();
    expect((await told(await first)).text).toBe("Slow but sure.");
    expect(await told(await put(`flight-${how}`, { stream }))).toMatchObject({ status: 200, text: "Slow but sure." });
    expect(vendor.received).toHaveLength(1);
  });

  it("whose client went is told so, and not repeated", async () => {
    vendor.play({ text: "Half an ans", ending: "hang" });
    const client = new AbortController();
    const before = metric(house, "weir_decisions_total", 'state="failed"');
    const first = put(`gone-${how}`, { stream, signal: client.signal });
    first.catch(() => {});
    const arrived = await vendor.arrival(0);
    client.abort();
    await arrived.aborted;
    await until(() => metric(house, "weir_decisions_total", 'state="failed"') > before, "it is settled");
    const second = await told(await put(`gone-${how}`, { stream }));
    expect(second).toMatchObject({ status: 409, code: "idempotency_interrupted" });
    expect(vendor.received).toHaveLength(1);
  });

  it("whose vendor failed gets the same failure", async () => {
    vendor.play({ status: 500 });
    const first = await told(await put(`failed-${how}`, { stream }));
    const second = await told(await put(`failed-${how}`, { stream }));
    expect(first).toMatchObject({ status: 502, code: "ladder_exhausted" });
    expect(second).toMatchObject({ status: 502, code: "ladder_exhausted" });
    expect(second.headers.get("x-weir-replayed")).toBe("true");
    expect(vendor.received).toHaveLength(1);
  });
});

it("a stream that broke off is never replayed as a whole answer", async () => {
  vendor.play({ text: "Do not take more than", ending: "truncate" });
  const first = await told(await put("broken", { stream: true }));
  expect(first).toMatchObject({ code: "stream_broken", whole: false });
  const second = await told(await put("broken", { stream: true }));
  expect(second.whole && second.status === 200).toBe(false);
  expect(second.code).toMatch(/^(stream_broken|idempotency_interrupted)$/);
  expect(vendor.received).toHaveLength(1);
});

it("a replay gives every byte of a passed-through answer again", async () => {
  vendor.play({ text: "Same.", extra: { system_fingerprint: "fp_1", service_tier: "default" } });
  const first = await told(await put("bytes"));
  const second = await told(await put("bytes"));
  expect(JSON.parse(second.body)).toEqual(JSON.parse(first.body));
});

it("a refusal before any side effect leaves the key free, also after a restart", async () => {
  await told(await ask(house.origin, key, { useCase: "tight" }));
  const refused = await told(await put("limited", { useCase: "tight" }));
  expect(refused).toMatchObject({ status: 429, code: "rate_limited" });
  const again = await told(await put("limited", { useCase: "tight" }));
  expect(again).toMatchObject({ status: 429, code: "rate_limited" });
  expect(again.headers.get("x-weir-replayed")).toBeNull();
});

describe.each(["", "x".repeat(256)])("a key of an impossible length", (name) => {
  it(`(${name.length}) is refused`, async () => {
    const answer = await told(await put(name));
    if (name === "") expect(answer.status).toBe(200);
    else expect(answer).toMatchObject({ status: 400, code: "invalid_request" });
  });
});

describe("a disk that is slow", () => {
  it("never makes a fault of a repetition that comes before the first answer is on disk", async () => {
    const gated = gatedFiles();
    const own = await startHouse({ files: files(), filePort: gated.files });
    try {
      const ownKey = own.mintKey();
      const answered = Promise.withResolvers<void>();
      vendor.play({ text: "Slowly written.", before: answered.promise });
      const send = () => ask(own.origin, ownKey, { useCase: "chat", headers: named("slow disk") }).then(told);
      const first = send();
      await vendor.arrival(0);
      const blocked = gated.shut();
      answered.resolve();
      await blocked;
      const second = send();
      await Promise.race([second, turns(500)]);
      gated.open();
      expect(await first).toMatchObject({ status: 200, text: "Slowly written." });
      expect([200, 409]).toContain((await second).status);
      expect(await send()).toMatchObject({ status: 200, text: "Slowly written." });
      expect(vendor.received).toHaveLength(1);
    } finally {
      gated.open();
      await own.stop();
    }
  });
});

describe("a restart on the same data", () => {
  it("keeps answers, mismatches, failures and interruptions", async () => {
    const first = await startHouse({ files: files() });
    const firstKey = first.mintKey();
    const send = (of: TestHouse, name: string, more: Partial<Parameters<typeof ask>[2]> = {}) =>
      ask(of.origin, firstKey, { useCase: "chat", headers: named(name), ...more });
    vendor.play(
      { text: "Before the restart." },
      { text: "A streamed one." },
      { status: 503 },
      { text: "Half", ending: "truncate" },
    );
    const answer = await told(await send(first, "kept"));
    await told(await send(first, "streamed", { stream: true }));
    await told(await send(first, "failed"));
    await told(await send(first, "broken", { stream: true }));
    vendor.play({ hang: "before-headers" });
    const client = new AbortController();
    const going = send(first, "gone", { signal: client.signal });
    going.catch(() => {});
    await vendor.arrival(4);
    client.abort();
    await vendor.received[4]!.aborted;
    await until(() => metric(first, "weir_decisions_total") === 5, "all five are settled");
    await told(await ask(first.origin, firstKey, { useCase: "tight" }));
    await told(await send(first, "limited", { useCase: "tight" }));
    expect(leftovers(first)).toEqual({ running: 0, held: 0, flights: 0 });
    await first.stop(2000, true);

    const calls = vendor.received.length;
    const second = await startHouse({ files: files(), dataDir: first.dataDir });
    try {
      const kept = await told(await send(second, "kept"));
      expect(kept).toMatchObject({ status: 200, text: "Before the restart." });
      expect(kept.headers.get("x-weir-replayed")).toBe("true");
      expect(kept.headers.get("x-weir-decision-id")).toBe(answer.headers.get("x-weir-decision-id"));
      expect(await told(await send(second, "streamed", { stream: true }))).toMatchObject({
        text: "A streamed one.",
        whole: true,
      });
      expect(await told(await send(second, "kept", { text: "Another?" }))).toMatchObject({ status: 422 });
      expect(await told(await send(second, "failed"))).toMatchObject({ status: 502, code: "ladder_exhausted" });
      expect(await told(await send(second, "gone"))).toMatchObject({ status: 409, code: "idempotency_interrupted" });
      const broken = await told(await send(second, "broken", { stream: true }));
      expect(vendor.received).toHaveLength(calls);
      const free = await told(await send(second, "limited", { useCase: "tight" }));
      expect(free.status).toBe(200);
      expect(free.headers.get("x-weir-replayed")).toBeNull();
      expect(broken.whole && broken.status === 200, "a broken stream was replayed as whole").toBe(false);
    } finally {
      await second.stop();
      await first.stop().catch(() => {});
    }
  });
});
