import { expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { createLog } from "./log.ts";

const at = "2026-01-01T00:00:00.000Z";
const setUp = () => {
  const lines: string[] = [];
  const log = createLog(new VirtualClock(), (line) => lines.push(line));
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
    { name: "TypeError", detail: "bad", stack: expect.stringContaining("TypeError: bad") as string },
  ],
  ["a thrown string", "bad", { detail: "bad" }],
  ["nothing", undefined, { detail: "undefined" }],
])("logs %s", (_what, fault, shown) => {
  const { log, read } = setUp();
  log.fault("a decision met a fault", fault, { decision: "dec_1" });
  expect(read()[0]).toMatchObject({ level: "error", decision: "dec_1", ...shown });
});
