import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import type { Silence } from "../port.ts";
import { AlertBook, type Firing } from "./alert-book.ts";

const burning: Firing = {
  rule: "slo_burn",
  severity: "warning",
  labels: { use_case: "assistant" },
  summary: "It burns.",
};
const minuteMs = 60_000;

function setUp(silences: Silence[] = []) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const ids = new Set<string>();
  const book = new AlertBook({
    clock,
    renotifyMs: 60 * minuteMs,
    resolveAfterMs: minuteMs,
    silences,
    tell: ({ id, type, alert }) => {
      ids.add(id);
      told.push(`${type} ${alert.rule} ${alert.severity}`);
    },
  });
  /** Looks every ten seconds for so long. */
  const look = async (minutes: number, ...firings: Firing[]) => {
    for (let ms = 0; ms < minutes * minuteMs; ms += 10_000) {
      book.update(firings);
      await clock.advance(10_000);
    }
  };
  return { clock, book, told, ids, look };
}

describe("AlertBook", () => {
  it("tells once, reminds, and tells when it is over", async () => {
    const { told, ids, book, look } = setUp();
    await look(59, burning);
    expect(told).toEqual(["firing slo_burn warning"]);
    await look(3, burning);
    expect(told).toEqual(["firing slo_burn warning", "reminder slo_burn warning"]);
    await look(2);
    expect(told.at(-1)).toBe("resolved slo_burn warning");
    expect(ids.size).toBe(3);
    await look(5);
    expect(told).toHaveLength(3);
    expect(book.list()).toMatchObject([{ state: "resolved", rule: "slo_burn" }]);
  });

  it("a gap shorter than its patience is no end", async () => {
    const { told, look } = setUp();
    await look(1, burning);
    await look(0.5);
    await look(1, burning);
    expect(told).toEqual(["firing slo_burn warning"]);
  });

  it("what comes back after its end is told anew", async () => {
    const { told, look } = setUp();
    for (let i = 0; i < 2; i++) {
      await look(1, burning);
      await look(2);
    }
    expect(told.map((each) => each.split(" ")[0])).toEqual(["firing", "resolved", "firing", "resolved"]);
  });

  it("labels in any order and another summary are the same alert; another label is not", async () => {
    const { told, look } = setUp();
    await look(0.1, { ...burning, labels: { a: "1", b: "2" } });
    await look(0.1, { ...burning, labels: { b: "2", a: "1" }, summary: "Still." });
    expect(told).toHaveLength(1);
    await look(0.1, { ...burning, labels: { a: "1", b: "3" } });
    expect(told).toHaveLength(2);
  });

  it("tells again when it gets worse, not when it gets better", async () => {
    const { told, look } = setUp();
    await look(1, burning);
    await look(1, { ...burning, severity: "critical" });
    await look(1, burning);
    expect(told).toEqual(["firing slo_burn warning", "firing slo_burn critical"]);
  });

  it("seen twice in one look, the graver one counts", async () => {
    const { told, look } = setUp();
    await look(1, burning, { ...burning, severity: "critical" }, { ...burning, severity: "info" });
    expect(told).toEqual(["firing slo_burn critical"]);
  });

  it.each([
    ["its rule", { rule: "slo_burn", labels: {} }, true],
    ["everything", { rule: "*", labels: {} }, true],
    ["its label", { rule: "slo_burn", labels: { use_case: "assistant" } }, true],
    ["another label", { rule: "slo_burn", labels: { use_case: "credit" } }, false],
    ["another rule", { rule: "budget", labels: {} }, false],
  ])("a silence over %s: %s", async (_what, silence, silent) => {
    const { told, book, look } = setUp([silence]);
    await look(1, burning);
    expect(told.length === 0).toBe(silent);
    expect(book.list()).toMatchObject([{ state: "firing", silenced: silent }]);
  });

  it("is told when its silence ends and it still fires; never told, its end is not told either", async () => {
    const { clock, told, book, look } = setUp();
    book.silence({ rule: "slo_burn", labels: {}, untilMs: clock.now() + 5 * minuteMs });
    await look(4.9, burning);
    expect(told).toEqual([]);
    await look(1, burning);
    expect(told).toEqual(["firing slo_burn warning"]);
    expect(book.silences()).toEqual([]);
    await look(2);
    book.silence({ rule: "*", labels: {} });
    await look(1, { ...burning, rule: "budget" });
    await look(2);
    book.unsilence({ rule: "*", labels: {} });
    await look(1);
    expect(told).toEqual(["firing slo_burn warning", "resolved slo_burn warning"]);
  });

  it("holds a bounded number of either kind", async () => {
    const { book, look } = setUp();
    const many = Array.from({ length: 1500 }, (_, i): Firing => ({ ...burning, labels: { i: String(i) } }));
    await look(0.1, ...many);
    expect(book.list()).toHaveLength(1000);
    await look(2);
    expect(book.list()).toHaveLength(200);
  });
});
