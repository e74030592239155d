/** All that follows a decision for those who operate: metrics, traces, alerts, behind the few calls that settle makes. */
import type { AttemptMeta, SettledMeta } from "../kernel/decision.ts";
import type { Clock } from "../kernel/clock.ts";
import type { DecisionId } from "../kernel/ids.ts";
import type { Refusal } from "../kernel/errors.ts";
import { Alerts, type AlertView, type AnomalyState, type ReachedBudget } from "./alerts/index.ts";
import { countDecisions } from "./decision-metrics.ts";
import { createOutbound } from "./export/index.ts";
import { addHouseGauges } from "./house-gauges.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { AlertSettings, HouseState, Silence, TelemetrySettings } from "./port.ts";
import type { Places } from "./spans.ts";
import { TraceExporter } from "./trace-exporter.ts";

export interface TelemetryPorts {
  clock: Clock;
  log: Log;
  settings: TelemetrySettings;
  alerts: AlertSettings;
  house: HouseState;
  /** Models and vendors of the serving snapshot. */
  places(): Places;
  version: string;
}

/** A decision that settles, as far as it is told. */
interface SettledDecision {
  readonly id: DecisionId;
  readonly tenant: { readonly name: string };
  readonly attempts: readonly AttemptMeta[];
}

export interface Telemetry {
  readonly metrics: Metrics;
  begun(useCase: string): void;
  /** After the `settled` entry was appended. */
  settled(d: SettledDecision, meta: SettledMeta): void;
  /** After the `attempt` entry was appended. */
  attempted(useCase: string, meta: AttemptMeta): void;
  replayed(useCase: string): void;
  refusedBefore(refusal: Refusal): void;
  /** A step of a budget, as the money book tells it. */
  budgetReached(notice: ReachedBudget): void;
  alerts(): AlertView[];
  silences(): readonly Silence[];
  /** Until the process ends; what is to last stands in the configuration. */
  silence(silence: Silence): void;
  unsilence(silence: Pick<Silence, "rule" | "labels">): void;
  /** What is to be done about a principal's next call; undefined where nothing is. One lookup. */
  anomalyActionOf(tenant: string, principal: string): AnomalyState | undefined;
  /** Starts the timers of alerts and exports. */
  start(): void;
  /** Sends what waits, as far as the other side answers, and lets go of timers and connections. */
  close(): Promise<void>;
}

export function createTelemetry(ports: TelemetryPorts): Telemetry {
  const { clock, log, settings } = ports;
  const metrics = new Metrics({ maxSeries: settings.maxSeriesPerMetric });
  const counters = countDecisions(metrics, () => ports.places().models);
  addHouseGauges(metrics, ports.house);
  const outbound = createOutbound({ clock, allowHosts: settings.allowHosts });
  const alerts = new Alerts({ clock, log, metrics, outbound, settings: ports.alerts, house: ports.house });
  const traces =
    settings.traces &&
    new TraceExporter({
      clock,
      outbound,
      metrics,
      settings: settings.traces,
      places: ports.places,
      version: ports.version,
      report: (message, fields) => log.warn(message, fields),
    });
  return {
    metrics,
    begun: counters.begun,
    settled(d, meta) {
      counters.settled(meta, d.tenant.name);
      const traced = { decision: d.id, tenant: d.tenant.name, meta, attempts: d.attempts };
      alerts.settled(traced);
      traces?.settled(traced);
    },
    attempted: counters.attempted,
    replayed: counters.replayed,
    refusedBefore: counters.refusedBefore,
    budgetReached: (notice) => alerts.budgetReached(notice),
    alerts: () => alerts.list(),
    silences: () => alerts.silences(),
    silence: (silence) => alerts.silence(silence),
    unsilence: (silence) => alerts.unsilence(silence),
    anomalyActionOf: (tenant, principal) => alerts.anomalyActionOf(tenant, principal),
    start() {
      alerts.start();
      traces?.start();
    },
    async close() {
      await Promise.all([alerts.close(), traces?.close()]);
      outbound.close();
    },
  };
}
