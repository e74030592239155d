import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { VirtualClock } from "../kernel/clock.ts";
import { newDecisionId } from "../kernel/ids.ts";
import { type Outbound, createOutbound } from "./export/index.ts";
import { type Receiver, openReceiver } from "./export/test-receiver.ts";
import { Metrics } from "./metrics.ts";
import type { TraceSettings } from "./port.ts";
import { aTraced, anAttempt } from "./test-decisions.ts";
import { TraceExporter } from "./trace-exporter.ts";

/** ExportTraceServiceRequest of opentelemetry-proto 1.x in its JSON form: hex ids, 64-bit numbers as text, no unknown keys. */
const nanos = z.string().regex(/^\d{19}$/);
const keyValue = z.strictObject({
  key: z.string().min(1),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ boolValue: z.boolean() }),
  ]),
});
const otlp = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: z.array(keyValue) }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          spans: z.array(
            z.strictObject({
              traceId: z.string().regex(/^[0-9a-f]{32}$/),
              spanId: z.string().regex(/^[0-9a-f]{16}$/),
              parentSpanId: z
                .string()
                .regex(/^[0-9a-f]{16}$/)
                .optional(),
              name: z.string().min(1),
              kind: z.int().min(1).max(5),
              startTimeUnixNano: nanos,
              endTimeUnixNano: nanos,
              attributes: z.array(keyValue),
              status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
              flags: z.int(),
            }),
          ),
        }),
      ),
    }),
  ),
});

let collector: Receiver;
let clock: VirtualClock;
let outbound: Outbound;
beforeEach(async () => {
  collector = await openReceiver();
  clock = new VirtualClock();
  outbound = createOutbound({ clock, allowHosts: [collector.host] });
});
afterEach(() => {
  outbound.close();
  collector.close();
});

function setUp(over: Partial<TraceSettings> = {}) {
  const metrics = new Metrics();
  const reports: string[] = [];
  const exporter = new TraceExporter({
    clock,
    outbound,
    metrics,
    settings: {
      url: `${collector.origin}/v1/traces`,
      headers: { authorization: "Bearer t" },
      serviceName: "weir",
      sample: 1,
      everyMs: 5000,
      ...over,
    },
    places: () => ({ models: new Map(), vendors: new Map() }),
    version: "9.9.9",
    report: (message) => reports.push(message),
  });
  return { exporter, metrics, reports };
}

describe("TraceExporter", () => {
  it("sends what settled as OTLP, in time, with its headers", async () => {
    const { exporter, metrics } = setUp();
    exporter.start();
    exporter.settled(aTraced({ stages: { serve: 4 } }, [anAttempt()]));
    await clock.advance(4999);
    expect(collector.received).toHaveLength(0);
    await clock.advance(1);
    await collector.until(1);
    const [{ path, headers, body } = { path: "", headers: {}, body: "" }] = collector.received;
    expect([path, headers.authorization, headers["content-type"]]).toEqual([
      "/v1/traces",
      "Bearer t",
      "application/json",
    ]);
    const sent = otlp.parse(JSON.parse(body));
    expect(sent.resourceSpans[0]!.resource.attributes).toContainEqual({
      key: "service.name",
      value: { stringValue: "weir" },
    });
    expect(sent.resourceSpans[0]!.scopeSpans[0]!.spans).toHaveLength(3);
    await exporter.close();
    expect(metrics.print()).toContain('weir_trace_batches_total{outcome="delivered"} 1');
  });

  it("sends nothing where nothing settled, and sends what waits at the end", async () => {
    const { exporter } = setUp();
    exporter.start();
    await clock.advance(20_000);
    expect(collector.received).toHaveLength(0);
    exporter.settled(aTraced());
    await exporter.close();
    expect(collector.received).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("tries again when the collector is busy, and not when it refuses", async () => {
    const { exporter, metrics, reports } = setUp();
    collector.answers.push(503, 200, 400);
    exporter.start();
    exporter.settled(aTraced());
    await clock.advance(5000);
    await collector.until(1);
    // The answer comes over a socket; the pause begins once it has been read.
    for (let i = 0; collector.received.length < 2 && i < 1000; i++) await clock.advance(100);
    expect(collector.received).toHaveLength(2);
    exporter.settled(aTraced());
    await exporter.close();
    expect(metrics.print()).toContain('weir_trace_batches_total{outcome="rejected"} 1');
    expect(reports).toHaveLength(1);
  });

  it("a collector that never answers costs bounded memory and no time of the path", async () => {
    const { exporter, metrics, reports } = setUp();
    const stuck = () => {};
    collector.answers.push(...Array.from({ length: 100 }, () => stuck));
    exporter.start();
    for (let i = 0; i < 10_000; i++) {
      exporter.settled(aTraced());
      if (i % 1000 === 0) await clock.advance(5000);
    }
    const lost = Number(/^weir_traces_lost (\d+)$/m.exec(metrics.print())![1]);
    // The ring and 64 batches of 32 wait.
    expect(lost).toBeGreaterThanOrEqual(10_000 - 4096 - 65 * 32);
    expect(lost).toBeLessThan(10_000 - 4096);
    outbound.close();
    await exporter.close();
    expect(reports.length).toBeGreaterThan(0);
  });

  const parent = (flags: string) => `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`;
  it.each([
    ["sampled by the caller", { trace: parent("01") }, 0, 1],
    ["not sampled by the caller", { trace: parent("00") }, 1, 0],
    ["not sampled by the caller and failed", { trace: parent("00"), state: "failed" as const }, 1, 0],
    ["failed", { state: "failed" as const, code: "ladder_exhausted" as const }, 0, 1],
    ["refused", { state: "refused" as const, code: "rate_limited" as const }, 0, 0],
    ["answered", {}, 0, 0],
    ["answered, with all sampled", {}, 1, 1],
  ])("%s, sample %j %s: %s sent", async (_what, over, sample, sent) => {
    const { exporter } = setUp({ sample });
    exporter.settled(aTraced(over));
    await exporter.close();
    expect(collector.received).toHaveLength(sent);
  });

  it("samples about the part that it is told to", async () => {
    const { exporter } = setUp({ sample: 0.25 });
    for (let i = 0; i < 2000; i++) exporter.settled({ ...aTraced(), decision: newDecisionId(clock) });
    await exporter.close();
    const bodies = collector.received.map(({ body }) => otlp.parse(JSON.parse(body)));
    const traced = bodies.flatMap(({ resourceSpans }) => resourceSpans[0]!.scopeSpans[0]!.spans).length;
    expect(traced).toBeGreaterThan(400);
    expect(traced).toBeLessThan(600);
  });

  it("content never leaves: spans are made of metadata only", async () => {
    const { exporter } = setUp();
    const traced = aTraced({ subject: "pseudonym-1" });
    exporter.settled(traced);
    await exporter.close();
    // The fixture's question, and the subject's pseudonym.
    expect(collector.received[0]!.body).not.toMatch(/account cost|pseudonym/);
  });
});
