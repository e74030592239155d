/** Which decisions are traced, and their way to the collector: a ring on the path, batches off it. */
import type { SettledMeta } from "../kernel/decision.ts";
import type { Clock } from "../kernel/clock.ts";
import type { DecisionId } from "../kernel/ids.ts";
import { Delivery, type DeliveryOutcome, type Outbound } from "./export/index.ts";
import type { Metrics } from "./metrics.ts";
import type { TraceSettings } from "./port.ts";
import { type Places, exportOf, spansOf, traceParentOf } from "./spans.ts";
import { TraceRing, type Traced } from "./trace-ring.ts";

export interface TracePorts {
  clock: Clock;
  outbound: Outbound;
  settings: TraceSettings;
  metrics: Metrics;
  places(): Places;
  version: string;
  /** Told of what could not be sent; at most once a minute. */
  report(message: string, fields: Record<string, string | number>): void;
}

const ringSize = 4096;
// A batch is mapped in one go, about a millisecond: streams must not feel it.
const batchDecisions = 32;
const batchesWaiting = 64;
const reportEveryMs = 60_000;

export class TraceExporter {
  readonly #ports: TracePorts;
  readonly #ring = new TraceRing(ringSize);
  readonly #delivery: Delivery;
  #stop: (() => void) | undefined;
  #stopHandingOver: (() => void) | undefined;
  #reportAgainAt = Number.NEGATIVE_INFINITY;

  constructor(ports: TracePorts) {
    this.#ports = ports;
    const { clock, outbound, metrics } = ports;
    const batches = metrics.counter("weir_trace_batches_total", "Batches of traces by what became of them.", [
      "outcome",
    ]);
    metrics.gauge("weir_traces_lost", "Traced decisions since the start that the ring had no room for.", () => [
      [{}, this.#ring.lost],
    ]);
    this.#delivery = new Delivery({
      clock,
      outbound,
      capacity: batchesWaiting,
      tries: 5,
      firstPauseMs: 1000,
      longestPauseMs: 30_000,
      // What the OTLP specification calls retryable.
      retryable: (status) => status === 429 || status === 502 || status === 503 || status === 504,
      told: (outcome, why) => {
        batches({ outcome });
        this.#tell(outcome, why);
      },
    });
  }

  /** On the path: decides, and keeps a reference. */
  settled(traced: Traced): void {
    if (!isTraced(traced.decision, traced.meta, this.#ports.settings.sample)) return;
    this.#ring.add(traced);
    // A burst is handed over before its time.
    if (this.#ring.waiting === ringSize / 2) this.#handOver();
  }

  start(): void {
    this.#stop ??= this.#ports.clock.after(this.#ports.settings.everyMs, () => {
      this.#stop = undefined;
      this.#handOver();
      this.start();
    });
  }

  /** Hands over what waits, a batch in each turn of the event loop. */
  #handOver(): void {
    if (this.#stopHandingOver || !this.#handOverBatch()) return;
    this.#stopHandingOver = this.#ports.clock.after(0, () => {
      this.#stopHandingOver = undefined;
      this.#handOver();
    });
  }

  /** False where nothing waits, or there is no room for it yet: then it stays in the ring. */
  #handOverBatch(): boolean {
    if (this.#ring.waiting === 0 || this.#delivery.waiting >= batchesWaiting) return false;
    const { settings, version } = this.#ports;
    const batch = this.#ring.take(batchDecisions);
    try {
      const places = this.#ports.places();
      const spans = batch.flatMap((traced) => spansOf(traced, places));
      const body = exportOf(spans, { name: settings.serviceName, version });
      const headers = { ...settings.headers, "content-type": "application/json" };
      this.#delivery.push(() => ({ url: settings.url, headers, body, timeoutMs: 10_000 }));
    } catch (fault) {
      this.#tell("dropped", fault instanceof Error ? fault.message : "unknown");
    }
    return true;
  }

  /** Sends what waits, as far as the collector answers. */
  async close(): Promise<void> {
    this.#stop?.();
    this.#stopHandingOver?.();
    while (this.#handOverBatch());
    await this.#delivery.settled();
    this.#delivery.close();
  }

  #tell(outcome: DeliveryOutcome, why: string | undefined): void {
    const now = this.#ports.clock.monotonic();
    if (outcome === "delivered" || now < this.#reportAgainAt) return;
    this.#reportAgainAt = now + reportEveryMs;
    this.#ports.report("traces could not be sent", { outcome, why: why ?? "", lost: this.#ring.lost });
  }
}

/**
 * A parent's flag decides. Without a parent a failure is always traced, and a part of the others by their ids: every
 * process decides the same.
 */
function isTraced(decision: DecisionId, meta: SettledMeta, sample: number): boolean {
  const parent = traceParentOf(meta.trace);
  if (parent) return parent.sampled;
  if (meta.state === "failed" || sample >= 1) return true;
  return sample > 0 && fractionOf(decision) < sample;
}

/** FNV-1a, as a number in [0, 1). */
function fractionOf(id: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) sum = Math.imul(sum ^ id.charCodeAt(i), 0x01000193);
  // Its low bits are the better mixed ones.
  return ((sum >>> 0) % 65_536) / 65_536;
}
