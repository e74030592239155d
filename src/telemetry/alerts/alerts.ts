/** Watches, a few times a minute and never on the path, and tells whom the configuration names. */
import type { Clock } from "../../kernel/clock.ts";
import { Delivery, type Outbound } from "../export/index.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { type AlertSettings, type HouseState, type Silence, type WebhookSettings, severities } from "../port.ts";
import type { Traced } from "../trace-ring.ts";
import { AlertBook, type AlertEvent, type AlertView, type Firing } from "./alert-book.ts";
import { Anomalies, type AnomalyState } from "./anomalies.ts";
import { DecisionWindows } from "./decision-windows.ts";
import { wrongInHouse, wrongInWindows } from "./rules.ts";
import { webhookBody, webhookHeaders } from "./standard-webhook.ts";

export interface AlertPorts {
  clock: Clock;
  log: Log;
  metrics: Metrics;
  outbound: Outbound;
  settings: AlertSettings;
  house: HouseState;
}

const minuteMs = 60_000;
const mostReached = 1000;

/** A step of a budget, or its end, as the money book tells it once in each window. */
export interface ReachedBudget {
  scope: string;
  per: string;
  /** Percentage of the amount. */
  at: number;
  do: "warn" | "degrade" | "block";
}

const reachedSeverity = { warn: "info", degrade: "warning", block: "critical" } as const;
/** It can't be seen from here when the window ends or the amount is raised. */
const reachedForMs = 60 * minuteMs;

export class Alerts {
  readonly #ports: AlertPorts;
  readonly #windows: DecisionWindows;
  readonly #anomalies: Anomalies;
  readonly #book: AlertBook;
  readonly #hooks: readonly Hook[];
  readonly #count: (event: AlertEvent) => void;
  readonly #reached = new Map<string, { firing: Firing; until: number }>();
  #minuteEndsAt: number;
  #stop: (() => void) | undefined;

  constructor(ports: AlertPorts) {
    this.#ports = ports;
    const { clock, metrics, settings } = ports;
    const { defaultObjective, objectives } = settings;
    this.#windows = new DecisionWindows((useCase) => objectives.get(useCase) ?? defaultObjective);
    this.#anomalies = new Anomalies(settings.anomaly);
    this.#book = new AlertBook({ ...settings, clock, tell: (event) => this.#tell(event) });
    this.#minuteEndsAt = clock.monotonic() + minuteMs;
    const told = metrics.counter("weir_alerts_total", "Alerts that began to fire, by rule and severity.", [
      "rule",
      "severity",
    ]);
    this.#count = ({ type, alert }) => {
      if (type === "firing") told({ rule: alert.rule, severity: alert.severity });
    };
    metrics.gauge("weir_alerts_firing", "Alerts that fire now, the silenced ones included.", () => this.#byRule(), [
      "rule",
    ]);
    const deliveries = metrics.counter("weir_alert_deliveries_total", "Webhook calls by what became of them.", [
      "webhook",
      "outcome",
    ]);
    this.#hooks = settings.webhooks.map((webhook, at) => openHook(ports, webhook, at, deliveries));
  }

  /** On the path: counts. */
  settled({ tenant, meta, attempts }: Traced): void {
    this.#windows.add(this.#ports.clock.monotonic(), meta, attempts);
    this.#anomalies.add(tenant, meta);
  }

  /** Also of principals and keys, which the house does not list for there may be many; fires for an hour. */
  budgetReached({ scope, per, at, do: action }: ReachedBudget): void {
    const summary = `The budget of ${scope} per ${per} has reached ${at} %: ${action}.`;
    const firing = { rule: "budget", severity: reachedSeverity[action], labels: { scope, per }, summary };
    const key = `${scope} ${per}`;
    if (this.#reached.size >= mostReached && !this.#reached.has(key)) return;
    this.#reached.set(key, { firing, until: this.#ports.clock.monotonic() + reachedForMs });
  }

  start(): void {
    this.#stop ??= this.#ports.clock.after(this.#ports.settings.everyMs, () => {
      this.#stop = undefined;
      this.evaluate();
      this.start();
    });
  }

  evaluate(): void {
    const now = this.#ports.clock.monotonic();
    try {
      if (now >= this.#minuteEndsAt) {
        this.#minuteEndsAt = now + minuteMs;
        this.#anomalies.turn(now);
      }
      this.#book.update([
        ...this.#reachedBudgets(now),
        ...wrongInHouse(this.#ports.house),
        ...wrongInWindows(now, this.#windows, this.#ports.settings),
        ...this.#anomalies.firings(now),
      ]);
    } catch (fault) {
      this.#ports.log.fault("alerts could not be evaluated", fault);
    }
  }

  list(): AlertView[] {
    return this.#book.list();
  }

  silence(silence: Silence): void {
    this.#book.silence(silence);
  }

  unsilence(silence: Pick<Silence, "rule" | "labels">): void {
    this.#book.unsilence(silence);
  }

  silences(): readonly Silence[] {
    return this.#book.silences();
  }

  anomalyActionOf(tenant: string, principal: string): AnomalyState | undefined {
    return this.#anomalies.actionOf(this.#ports.clock.monotonic(), tenant, principal);
  }

  /** Lets go of the timers; what is on its way may still arrive, what waits is dropped. */
  async close(): Promise<void> {
    this.#stop?.();
    await Promise.all(this.#hooks.map(({ delivery }) => delivery.settled()));
    for (const { delivery } of this.#hooks) delivery.close();
  }

  #tell(event: AlertEvent): void {
    this.#count(event);
    const { rule, severity, labels, summary } = event.alert;
    const fields = { alert: event.type, rule, severity, ...labels };
    if (event.type === "resolved" || severity === "info") this.#ports.log.info(summary, fields);
    else this.#ports.log.warn(summary, fields);
    for (const { send } of this.#hooks) send(event);
  }

  *#reachedBudgets(now: number): Generator<Firing> {
    for (const [key, { firing, until }] of this.#reached)
      if (until > now) yield firing;
      else this.#reached.delete(key);
  }

  *#byRule(): Generator<readonly [{ rule: string }, number]> {
    const rules = new Map<string, number>();
    for (const { rule, state } of this.#book.list())
      if (state === "firing") rules.set(rule, (rules.get(rule) ?? 0) + 1);
    for (const [rule, count] of rules) yield [{ rule }, count];
  }
}

interface Hook {
  delivery: Delivery;
  send(event: AlertEvent): void;
}

type Counter = (labels: Record<string, string>) => void;

/** Hooks are named by their place in the configuration: an address may hold a token. */
function openHook(
  { clock, outbound, log }: AlertPorts,
  { url, secret, minSeverity }: WebhookSettings,
  at: number,
  count: Counter,
): Hook {
  const webhook = String(at + 1);
  let gone = false;
  const delivery = new Delivery({
    clock,
    outbound,
    capacity: 500,
    // About a day.
    tries: 12,
    firstPauseMs: 5000,
    longestPauseMs: 4 * 3600_000,
    retryable: () => true,
    told(outcome, why) {
      count({ webhook, outcome });
      if (outcome === "gone") gone = true;
      if (outcome !== "delivered" && outcome !== "retried")
        log.warn("an alert could not be delivered", { webhook, outcome, why: why ?? "" });
    },
  });
  const heard = severities.indexOf(minSeverity);
  const send = (event: AlertEvent) => {
    if (gone || severities.indexOf(event.alert.severity) < heard) return;
    const body = webhookBody(event, clock.now());
    delivery.push(() => ({
      url,
      headers: webhookHeaders(secret, event.id, clock.now(), body),
      body,
      timeoutMs: 15_000,
    }));
  };
  return { delivery, send };
}
