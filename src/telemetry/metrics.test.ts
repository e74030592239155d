import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Metrics } from "./metrics.ts";

const linesOf = (metrics: Metrics) => metrics.print().trimEnd().split("\n");

describe("Metrics", () => {
  it("prints counters with help, type and labels", () => {
    const metrics = new Metrics();
    const count = metrics.counter("weir_x_total", "Things.");
    count({ use_case: "credit", state: "answered" });
    count({ use_case: "credit", state: "answered" }, 2);
    count({});
    expect(linesOf(metrics)).toEqual([
      "# HELP weir_x_total Things.",
      "# TYPE weir_x_total counter",
      'weir_x_total{use_case="credit",state="answered"} 3',
      "weir_x_total 1",
    ]);
  });

  it("answers the same number to whoever keeps it and to whoever asks by labels", () => {
    const metrics = new Metrics();
    const count = metrics.counter("c", "h");
    const kept = count.of({ use_case: "credit" });
    kept.add();
    count({ use_case: "credit" }, 3);
    expect(count.of({ use_case: "credit" })).toBe(kept);
    expect(linesOf(metrics).slice(2)).toEqual(['c{use_case="credit"} 4']);
  });

  it.each([
    ['a "quote"', 'a \\"quote\\"'],
    ["back\\slash", "back\\\\slash"],
    ["two\nlines", "two\\nlines"],
  ])("escapes %j in label values: one sample stays one line", (value, printed) => {
    const metrics = new Metrics();
    metrics.counter("c", "h")({ v: value });
    expect(linesOf(metrics)[2]).toBe(`c{v="${printed}"} 1`);
  });

  it("puts an observation into every bucket from its own bound up", () => {
    const metrics = new Metrics();
    const histogram = metrics.histogram("h", "help");
    for (const seconds of [0.25, 0.375, 60, 61]) histogram({ u: "a" }).observe(seconds);
    const lines = linesOf(metrics);
    expect(lines).toContain('h_bucket{u="a",le="0.1"} 0');
    expect(lines).toContain('h_bucket{u="a",le="0.25"} 1');
    expect(lines).toContain('h_bucket{u="a",le="0.5"} 2');
    expect(lines).toContain('h_bucket{u="a",le="60"} 3');
    expect(lines).toContain('h_bucket{u="a",le="+Inf"} 4');
    expect(lines).toContain('h_count{u="a"} 4');
    expect(lines).toContain('h_sum{u="a"} 121.625');
  });

  it("law: buckets never fall, +Inf is the count", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true })), (values) => {
        const metrics = new Metrics();
        const histogram = metrics.histogram("h", "help");
        for (const value of values) histogram({}).observe(value);
        const buckets = linesOf(metrics)
          .filter((line) => line.startsWith("h_bucket"))
          .map((line) => Number(line.split(" ")[1]));
        expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
        if (values.length > 0) expect(buckets.at(-1)).toBe(values.length);
      }),
    );
  });

  it("reads gauges when they are printed", () => {
    const metrics = new Metrics();
    let running = 1;
    metrics.gauge("weir_running", "Now.", () => [[{ kind: "chat" }, running]]);
    running = 5;
    expect(linesOf(metrics)).toEqual([
      "# HELP weir_running Now.",
      "# TYPE weir_running gauge",
      'weir_running{kind="chat"} 5',
    ]);
  });
});
