import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { type Outbound, createOutbound } from "../export/index.ts";
import { type Receiver, openReceiver } from "../export/test-receiver.ts";
import { createLog } from "../log.ts";
import { Metrics } from "../metrics.ts";
import type { AlertSettings } from "../port.ts";
import { aHouse, aTraced } from "../test-decisions.ts";
import { Alerts } from "./alerts.ts";
import { webhookHeaders } from "./standard-webhook.ts";
import { someSettings } from "./test-settings.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

it("signs as the published example does", () => {
  const headers = webhookHeaders(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, '{"test": 2432232314}');
  expect(headers).toMatchObject({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

let receiver: Receiver;
let clock: VirtualClock;
let outbound: Outbound;
beforeEach(async () => {
  receiver = await openReceiver();
  clock = new VirtualClock();
  outbound = createOutbound({ clock, allowHosts: [receiver.host] });
});
afterEach(() => {
  outbound.close();
  receiver.close();
});

function setUp(over: Partial<AlertSettings> = {}) {
  const metrics = new Metrics();
  const lines: string[] = [];
  let writable = true;
  const webhooks = [{ url: `${receiver.origin}/hook?token=t`, secret, minSeverity: "warning" as const }];
  const alerts = new Alerts({
    clock,
    metrics,
    outbound,
    log: createLog(clock, (line) => lines.push(line)),
    settings: someSettings({ webhooks, ...over }),
    house: aHouse({ journal: () => ({ writable, entries: 0, queuedBytes: 0 }) }),
  });
  return { alerts, metrics, lines, breakDisk: (broken: boolean) => (writable = !broken) };
}

describe("Alerts", () => {
  it("a broken disk: told within seconds, signed, logged, counted, listed; and again when it is over", async () => {
    const { alerts, metrics, lines, breakDisk } = setUp();
    alerts.start();
    await clock.advance(5000);
    breakDisk(true);
    await clock.advance(5000);
    await receiver.until(1);
    const { headers, body, path } = receiver.received[0]!;
    expect(path).toBe("/hook?token=t");
    const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
    const key = Buffer.from(secret.slice(6), "base64");
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
    expect(JSON.parse(body)).toMatchObject({
      type: "weir.alert.firing",
      timestamp: "2026-01-01T00:00:10.000Z",
      data: { rule: "journal_unwritable", severity: "critical", state: "firing", since: "2026-01-01T00:00:10.000Z" },
    });
    expect(alerts.list()).toMatchObject([{ rule: "journal_unwritable", state: "firing" }]);
    expect(metrics.print()).toContain('weir_alerts_total{rule="journal_unwritable",severity="critical"} 1');
    expect(metrics.print()).toContain('weir_alerts_firing{rule="journal_unwritable"} 1');
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: "warn", rule: "journal_unwritable", alert: "firing" });

    breakDisk(false);
    await clock.advance(70_000);
    await receiver.until(2);
    expect(JSON.parse(receiver.received[1]!.body)).toMatchObject({ type: "weir.alert.resolved" });
    expect(receiver.received[1]!.headers["webhook-id"]).not.toBe(headers["webhook-id"]);
    expect(metrics.print()).not.toContain("weir_alerts_firing{");
    await alerts.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("a receiver that is down gets the same event again, signed anew", async () => {
    const { alerts, metrics, breakDisk } = setUp();
    receiver.answers.push(500, 200);
    breakDisk(true);
    alerts.evaluate();
    await receiver.until(1);
    for (let i = 0; receiver.received.length < 2 && i < 1000; i++) await clock.advance(500);
    const [first, second] = receiver.received.map(({ headers }) => headers);
    expect(second!["webhook-id"]).toBe(first!["webhook-id"]);
    expect(second!["webhook-timestamp"]).not.toBe(first!["webhook-timestamp"]);
    expect(receiver.received[1]!.body).toBe(receiver.received[0]!.body);
    await alerts.close();
    expect(metrics.print()).toContain('weir_alert_deliveries_total{webhook="1",outcome="delivered"} 1');
  });

  it("one that is gone for good is not called again, and the log names no address", async () => {
    const { alerts, lines, breakDisk } = setUp({ renotifyMs: 1 });
    receiver.answers.push(410);
    breakDisk(true);
    alerts.evaluate();
    await receiver.until(1);
    for (let i = 0; !lines.some((line) => line.includes("gone")) && i < 1000; i++) await clock.advance(1);
    await clock.advance(10);
    alerts.evaluate();
    await alerts.close();
    expect(receiver.received).toHaveLength(1);
    expect(lines.join()).not.toMatch(/token=t|hook\?/);
  });

  it("sends from its severity on, and nothing that is silenced", async () => {
    const { alerts } = setUp({ silences: [{ rule: "slo_burn", labels: {} }] });
    for (let i = 0; i < 100; i++) alerts.settled(aTraced({ state: "refused", code: "rate_limited" }));
    for (let i = 0; i < 100; i++) alerts.settled(aTraced({ use_case: "credit", state: "failed", code: "internal" }));
    alerts.evaluate();
    await receiver.until(1);
    await alerts.close();
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { data: object }).data)).toMatchObject([
      { rule: "error_rate", labels: { use_case: "credit", fault: "weir" } },
    ]);
    expect(alerts.list().map(({ rule, silenced }) => [rule, silenced])).toEqual([
      ["error_rate", false],
      ["slo_burn", true],
      ["error_rate", false],
    ]);
  });

  it("a budget's step is told once, worse when it is worse, and is over in the end", async () => {
    const { alerts, lines } = setUp();
    alerts.start();
    const reach = (at: number, action: "warn" | "degrade" | "block") =>
      alerts.budgetReached({ scope: "key:k1", per: "day", at, do: action });
    reach(80, "warn");
    await clock.advance(60_000);
    reach(100, "block");
    await clock.advance(60_000);
    expect(alerts.list()).toMatchObject([
      { rule: "budget", severity: "critical", labels: { scope: "key:k1", per: "day" }, state: "firing" },
    ]);
    await clock.advance(3_700_000);
    expect(alerts.list()).toMatchObject([{ state: "resolved" }]);
    expect(lines.map((line) => (JSON.parse(line) as { alert: string }).alert)).toEqual([
      "firing",
      "firing",
      "resolved",
    ]);
    await alerts.close();
  });

  it("a house that can't be asked is logged, and asked again", async () => {
    const lines: string[] = [];
    const alerts = new Alerts({
      clock,
      outbound,
      metrics: new Metrics(),
      log: createLog(clock, (line) => lines.push(line)),
      settings: someSettings(),
      house: aHouse({
        budgets: () => {
          throw new Error("no books");
        },
      }),
    });
    alerts.start();
    await clock.advance(10_000);
    expect(lines.map((line) => (JSON.parse(line) as { detail: string }).detail)).toEqual(["no books", "no books"]);
    await alerts.close();
  });

  it("minds callers unlike their past, and says so to whoever asks", async () => {
    const { alerts } = setUp();
    alerts.start();
    const minute = async (calls: number) => {
      for (let i = 0; i < calls; i++) alerts.settled(aTraced());
      await clock.advance(60_000);
    };
    for (let i = 0; i < 40; i++) await minute(30 + (i % 7));
    expect(alerts.anomalyActionOf("retail", "branch-app")).toBeUndefined();
    for (let i = 0; i < 2; i++) await minute(3000);
    expect(alerts.anomalyActionOf("retail", "branch-app")).toMatchObject({ action: "alert", why: ["rate"] });
    expect(alerts.anomalyActionOf("private", "branch-app")).toBeUndefined();
    await alerts.close();
  });
});
