import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { makeApiKey } from "../stages/identify/api-key.ts";
import { type LogOptions, createLog } from "./log.ts";

const at = "2026-01-01T00:00:00.000Z";
const setUp = (options: LogOptions = {}) => {
  const lines: string[] = [];
  const log = createLog(new VirtualClock(), (line) => lines.push(line), options);
  return { log, read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>), lines };
};

it("writes one JSON line per event, with the injected time", () => {
  const { log, read, lines } = setUp();
  log.info("started", { port: 8080 });
  log.warn("two\nlines");
  expect(read()).toEqual([
    { at, level: "info", message: "started", port: 8080 },
    { at, level: "warn", message: "two\nlines" },
  ]);
  for (const line of lines) expect(line.indexOf("\n")).toBe(line.length - 1);
});

it.each([
  [
    "an error, with its stack",
    new TypeError("bad"),
    { name: "TypeError", detail: "bad", stack: expect.stringMatching(/^TypeError: bad\n\s+at /) as string },
  ],
  ["a thrown string", "bad", { detail: "bad" }],
  ["nothing", undefined, { detail: "undefined" }],
])("logs %s", (_what, fault, shown) => {
  const { log, read } = setUp();
  log.fault("a decision met a fault", fault, { decision: "dec_1" });
  expect(read()[0]).toMatchObject({ level: "error", decision: "dec_1", ...shown });
});

it.each([
  ["debug", 4],
  ["info", 3],
  ["warn", 2],
  ["error", 1],
] as const)("from %s on: %s lines", (level, count) => {
  const { log, lines } = setUp({ level });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.fault("d", new Error("e"));
  expect(lines).toHaveLength(count);
});

describe("redaction", () => {
  const weirKey = makeApiKey(new VirtualClock(), "prod").text;
  const secrets = {
    "an OpenAI key": "sk-proj-abcdefghijklmnopqrstuvwx0123456789",
    "an Anthropic key": "sk-ant-api03-abcdefghijklmnopqrstuvwx",
    "an OpenRouter key": "sk-or-v1-0123456789abcdef0123456789abcdef",
    "a Groq key": "gsk_abcdefghijklmnopqrstuvwxyz012345",
    "an xAI key": "xai-abcdefghijklmnopqrstuvwxyz012345",
    "an AWS key": "AKIAIOSFODNN7EXAMPLE",
    "a Google key": "AIzaSyA-0123456789abcdefghijklmnopqrstu",
    "a webhook secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "a Weir key": weirKey,
    "a bearer token": "Bearer abcdef.ghijkl-12345",
    "an e-mail address": "jane.doe@example.com",
    "a bank account": "DE89 3704 0044 0532 0130 00",
    "a card": "4111 1111 1111 1111",
    "a URL's password": "postgres://weir:hunter2-x@db/weir",
  };
  it.each(Object.entries(secrets))(
    "%s leaves neither in a message, a field, an error nor its cause",
    (_name, secret) => {
      const { log, lines } = setUp();
      const telling = secret.replace(/^postgres:\/\/weir:|@db\/weir$/g, "");
      log.info(`it said ${secret}.`);
      log.warn("told", { detail: `it said ${secret}.` });
      log.fault("failed", new Error(`it said ${secret}.`, { cause: new Error(`because of ${secret}.`) }));
      expect(lines).toHaveLength(3);
      for (const line of lines) expect(line).not.toContain(telling);
    },
  );

  it.each([
    "authorization",
    "x_api_key",
    "apiKey",
    "password",
    "headers",
    "body",
    "prompt",
    "set_cookie",
    "vendor_secret",
  ])("a field named %s is cut whatever it holds", (name) => {
    const { log, read } = setUp();
    log.warn("told", { [name]: "zzz" });
    expect(read()[0]![name]).toBe("[cut]");
  });

  it("leaves alone what operators look for", () => {
    const fields = {
      decision: "dec_01kdv9x4q8r7s6t5v4w3x2y1z0",
      use_case: "assistant",
      snapshot: 12,
      hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      origin: "http://127.0.0.1:8080",
      target: "openai/gpt-5.4",
      key: "openai#1",
      at: "2026-11-22T09:50:55.123Z",
      tokens: 4111111111111111,
      writable: true,
    };
    const { log, read } = setUp();
    log.info("serving on port 8080 since 2026-11-22T09:50:55.123Z", { ...fields });
    expect(read()[0]).toEqual({
      level: "info",
      message: "serving on port 8080 since 2026-11-22T09:50:55.123Z",
      ...fields,
    });
  });

  it("errors that carry headers and bodies show neither", () => {
    const { log, lines } = setUp();
    const cause = Object.assign(new Error("HTTP 401"), {
      code: "UND_ERR",
      headers: { authorization: "Bearer zzz-secret" },
      body: "the customer's zzz-question",
    });
    const fault = Object.assign(new Error("the vendor failed", { cause }), { request: { body: "zzz-content" } });
    log.fault("a decision met a fault", fault);
    expect(lines[0]).not.toContain("zzz");
    expect(JSON.parse(lines[0]!)).toMatchObject({ causes: ["Error: HTTP 401 (UND_ERR)"] });
  });

  it("what could not be parsed is not quoted", () => {
    const { log, lines } = setUp();
    for (const text of ['{"zzz": "zzz", zzz', "zzz-one two", `zzz${"y".repeat(100)}`])
      try {
        JSON.parse(text);
      } catch (fault) {
        log.fault("unreadable", fault);
      }
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).not.toContain("zzz");
  });

  it("long texts and endless causes are cut", () => {
    const { log, lines } = setUp();
    const fault = new Error("x".repeat(100_000));
    fault.cause = fault;
    log.fault("long", fault);
    expect(lines[0]!.length).toBeLessThan(40_000);
    expect((JSON.parse(lines[0]!) as { causes: string[] }).causes).toHaveLength(4);
  });

  it("objects that slip through the types are looked through, or named by their kind", () => {
    const { log, read } = setUp();
    const slipped = {
      notice: { scope: "tenant:retail", note: "jane.doe@example.com", deep: { deeper: { deepest: { x: 1 } } } },
    };
    log.warn("told", slipped as unknown as Record<string, string>);
    expect(read()[0]!["notice"]).toEqual({
      scope: "tenant:retail",
      note: "[email]",
      deep: { deeper: { deepest: "[object]" } },
    });
  });
});

describe("text for people", () => {
  it("is one line, with what needs it quoted", () => {
    const { log, lines } = setUp({ format: "text" });
    log.info("serving", { origin: "http://127.0.0.1:8080", why: "two words" });
    expect(lines).toEqual([`${at} INFO  serving origin=http://127.0.0.1:8080 why="two words"\n`]);
  });

  it("no text can pretend to be another event or move the cursor", () => {
    const { log, lines } = setUp({ format: "text" });
    log.warn("a\n2026 ERROR forged\u001b[2J\r", { b: "c\nd" });
    expect(lines[0]!.indexOf("\n")).toBe(lines[0]!.length - 1);
    expect(lines[0]).not.toContain("\u001b");
  });

  it("shows a fault's stack below", () => {
    const { log, lines } = setUp({ format: "text" });
    log.fault("failed", new TypeError("bad"));
    expect(lines[0]).toMatch(/ERROR failed name=TypeError detail=bad\n {2}TypeError: bad\n {6}at /);
  });
});
