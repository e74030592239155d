/** Every way in which a vendor fails, whole and streaming, with and without a further rung. Time is virtual. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, type Script, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import {
  type TimedHouse,
  WatchedClock,
  ask,
  leftovers,
  recordOf,
  startOnClock,
  told,
  turns,
  until,
  vendorConfig,
} from "./vendor-house.ts";

const useCases = `
one: { kind: chat, ladder: [oa-main], retries: 0, deadline: 10m }
two: { kind: chat, ladder: [oa-main, ob-main], retries: 0, deadline: 10m }
mixed: { kind: chat, ladder: [an-main, ob-main], retries: 0, deadline: 10m }
`;

let vendor: ScriptedVendor;
let house: TimedHouse;
let clock: WatchedClock;
beforeAll(async () => {
  vendor = await startScriptedVendor();
  clock = new WatchedClock();
  house = await startOnClock(clock, vendorConfig(vendor.origin, useCases));
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(async () => {
  vendor.reset();
  // A vendor that asked for seven seconds is left alone by the next request too.
  await clock.advance(7_001);
});

interface Row {
  name: string;
  script: Script;
  /** Attempt status and reason, whole and streaming. */
  whole: [string, string];
  stream: [string, string];
  /** Virtual time that has to pass after the vendor has the request. */
  waitMs?: number;
  /** Status and code where no rung is left. */
  alone?: [number, string];
}

const http = (status: number, more?: { headers: Record<string, string> }): Omit<Row, "name"> => ({
  script: { status, ...more },
  whole: ["failed", `http_${status}:scripted`],
  stream: ["failed", `http_${status}:scripted`],
});

const rows: Row[] = [
  {
    name: "400",
    script: { status: 400 },
    whole: ["rejected", "http_400:scripted"],
    stream: ["rejected", "http_400:scripted"],
    alone: [400, "upstream_rejected"],
  },
  { name: "401", ...http(401) },
  { name: "429 with retry-after", ...http(429, { headers: { "retry-after": "7" } }) },
  { name: "500", ...http(500) },
  { name: "503", ...http(503) },
  {
    name: "hangs before headers",
    script: { hang: "before-headers" },
    whole: ["timeout", "first_byte_timeout"],
    stream: ["timeout", "first_byte_timeout"],
    waitMs: 30_001,
  },
  {
    name: "hangs after headers",
    script: { text: "never", ending: "hang", silent: true },
    whole: ["timeout", "idle_timeout"],
    stream: ["timeout", "idle_timeout"],
    waitMs: 30_001,
  },
  {
    name: "resets before headers",
    script: { reset: "before-headers" },
    whole: ["failed", "reset"],
    stream: ["failed", "reset"],
  },
  {
    name: "resets after headers",
    script: { text: "never", ending: "reset", silent: true },
    whole: ["failed", "reset"],
    stream: ["failed", "reset"],
  },
  {
    name: "ends without a terminator",
    script: { text: "never", ending: "truncate", silent: true },
    whole: ["failed", "reset"],
    stream: ["failed", "truncated"],
  },
  {
    name: "lies about the content type",
    script: { lie: { contentType: "text/html", body: "<h1>Welcome to the gateway</h1>" } },
    whole: ["failed", "unreadable_answer"],
    stream: ["failed", "not_a_stream"],
  },
  {
    name: "sends malformed JSON",
    script: { lie: { contentType: "application/json", body: '{"choices": [' } },
    whole: ["failed", "unreadable_answer"],
    stream: ["failed", "not_a_stream"],
  },
  {
    name: "sends an error event first",
    script: { ending: "error-event", silent: true },
    whole: ["failed", "unreadable_answer"],
    stream: ["failed", "vendor_error"],
  },
  {
    name: "sends a malformed event first",
    script: { ending: "malformed-event", silent: true },
    whole: ["failed", "unreadable_answer"],
    stream: ["failed", "vendor_error"],
  },
  {
    name: "sends 40 MB",
    script: { hugeBytes: 40 << 20 },
    whole: ["failed", "body_too_large"],
    stream: ["failed", "body_too_large"],
  },
];

const decisionOf = (headers: Headers) => headers.get("x-weir-decision-id");
const nothingLeft = () => until(() => Object.values(leftovers(house)).every((left) => left === 0), "nothing is held");

describe.each(rows)("a vendor that $name", (row) => {
  describe.each([
    ["whole", false],
    ["streaming", true],
  ])("%s", (_how, stream) => {
    const [status, reason] = stream ? row.stream : row.whole;

    it("hands over to the next rung before the first content", async () => {
      vendor.play(row.script, { text: "From the second rung.", usage: { input: 9, output: 4 } });
      const pending = ask(house.origin, house.key, { useCase: "two", stream });
      await pass(row);
      const answer = await told(await pending);
      expect(answer).toMatchObject({ status: 200, text: "From the second rung.", whole: true });
      // Keep-alives begin after 5 s; the headers then leave out what is not known yet.
      const early = stream && row.waitMs !== undefined;
      expect(answer.headers.get("x-weir-model")).toBe(early ? null : "ob-main");
      expect(vendor.received.map((one) => one.path)).toEqual(["/v1/chat/completions", "/second/v1/chat/completions"]);
      const record = await recordOf(house, decisionOf(answer.headers));
      expect(record.attempts.map((attempt) => [attempt.model, attempt.status, attempt.reason])).toEqual([
        ["oa-main", status, reason],
        ["ob-main", "ok", undefined],
      ]);
      expect(record.settled).toMatchObject([{ state: "answered", attempts: 2, model: "ob-main", rung: 1 }]);
      expect(record.settled[0]!.usage).toMatchObject({ estimated: record.attempts[0]!.usage.estimated });
      await nothingLeft();
    });

    it("is told with a stable code where no rung is left", async () => {
      vendor.play(row.script);
      const pending = ask(house.origin, house.key, { useCase: "one", stream });
      await pass(row);
      const answer = await told(await pending);
      const [httpStatus, code] = row.alone ?? [502, "ladder_exhausted"];
      const early = stream && row.waitMs !== undefined;
      expect(answer).toMatchObject({ status: early ? 200 : httpStatus, code, whole: !early });
      if (!early)
        expect(JSON.parse(answer.body)).toEqual({
          error: { message: expect.any(String), type: expect.any(String), param: null, code },
        });
      const record = await recordOf(house, decisionOf(answer.headers));
      expect(record.begun).toHaveLength(1);
      expect(record.attempts).toMatchObject([{ status, reason }]);
      expect(record.settled).toMatchObject([{ state: row.alone ? "refused" : "failed", code, attempts: 1 }]);
      await nothingLeft();
    });
  });
});

/** Lets the time pass that a hanging vendor takes, once it has the request and Weir has read what it sent. */
async function pass(row: Row): Promise<void> {
  if (row.waitMs === undefined) return;
  await vendor.arrival(0);
  await turns();
  await clock.advance(row.waitMs);
}

describe("after the first content has left", () => {
  const endings = [
    ["truncate", "failed", "truncated"],
    ["reset", "failed", "reset"],
    ["error-event", "failed", "vendor_error"],
    ["malformed-event", "failed", "vendor_error"],
    ["hang", "timeout", "idle_timeout"],
  ] as const;
  const ways = [
    ["openai", "two", "openai over openai"],
    ["openai", "mixed", "openai over anthropic"],
    ["anthropic", "two", "anthropic over openai"],
    ["anthropic", "mixed", "anthropic over anthropic"],
  ] as const;

  describe.each(ways)("%s client, use case %s (%s)", (dialect, useCase) => {
    it.each(endings)(
      "%s ends the stream with an error event and takes no further rung",
      async (ending, status, reason) => {
        vendor.play({ text: "Part one, part two", ending });
        const response = await ask(house.origin, house.key, { useCase, stream: true, dialect });
        expect(response.status).toBe(200);
        expect(decisionOf(response.headers)).toMatch(/^dec_/);
        const reading = told(response);
        await turns();
        if (ending === "hang") await clock.advance(30_001);
        const answer = await reading;
        expect(answer).toMatchObject({ code: "stream_broken", whole: false, text: "Part one, part two" });
        if (dialect === "anthropic") expect(answer.body).toContain("event: error\n");
        expect(vendor.received).toHaveLength(1);
        const record = await recordOf(house, decisionOf(response.headers));
        expect(record.attempts).toMatchObject([{ status, reason, usage: { estimated: true } }]);
        expect(record.attempts[0]!.usage.output).toBeGreaterThan(0);
        expect(record.settled).toMatchObject([
          { state: "failed", code: "stream_broken", delivered: { complete: false } },
        ]);
        await nothingLeft();
      },
    );
  });
});
