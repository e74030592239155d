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

  it("counts what finds no room together, keeps the sum, and says so", () => {
    const metrics = new Metrics({ maxSeries: 2 });
    const count = metrics.counter("c", "h", ["a", "b"]);
    const histogram = metrics.histogram("h", "help", ["a"]);
    for (const a of ["1", "2", "3", "4", "1"]) {
      count({ a, b: "x" });
      histogram({ a }).observe(1);
    }
    const lines = linesOf(metrics);
    expect(lines.filter((line) => line.startsWith("c{"))).toEqual([
      'c{a="1",b="x"} 2',
      'c{a="2",b="x"} 1',
      'c{a="other",b="other"} 2',
    ]);
    expect(lines).toContain('h_count{a="other"} 2');
    expect(lines).toContain('weir_metric_series_dropped_total{metric="c"} 2');
    expect(lines).toContain('weir_metric_series_dropped_total{metric="h"} 2');
  });

  it("law: whatever the labels, no metric grows beyond its bound and one, and nothing counted is lost", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 })), fc.integer({ min: 1, max: 5 }), (values, maxSeries) => {
        const metrics = new Metrics({ maxSeries });
        const count = metrics.counter("c", "h");
        for (const v of values) count({ v });
        const series = linesOf(metrics).filter((line) => line.startsWith("c{"));
        expect(series.length).toBeLessThanOrEqual(maxSeries + 1);
        const sum = series.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
        expect(sum).toBe(values.length);
      }),
    );
  });

  it("cuts a gauge with more rows than series are allowed", () => {
    const metrics = new Metrics({ maxSeries: 2 });
    metrics.gauge("g", "Now.", () => ["a", "b", "c"].map((v) => [{ v }, 1] as const));
    const lines = linesOf(metrics);
    expect(lines.filter((line) => line.startsWith("g{"))).toHaveLength(2);
    expect(lines).toContain('weir_metric_series_dropped_total{metric="g"} 1');
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
