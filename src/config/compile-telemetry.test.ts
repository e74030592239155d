import { describe, expect, it } from "vitest";
import { type Edit, compileBank, replace, tryBank } from "./bank-fixture.ts";

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/** Sections before the first one of the bank's file. */
const adding = (yaml: string): Edit => replace("weir: 1\n", `weir: 1\n${yaml}\n`);
const secrets = {
  env: (name: string) => (name === "NONE" ? undefined : name === "SHORT" ? "abc" : signing),
  file: () => undefined,
};

describe("telemetry", () => {
  it("is there without being declared: log lines, no traces, objectives and rules on", () => {
    const { telemetry, alerts } = compileBank();
    expect(telemetry).toEqual({ log: { level: "info", format: "auto" }, allowHosts: [], maxSeriesPerMetric: 2000 });
    expect(alerts).toMatchObject({
      everyMs: 5000,
      renotifyMs: 14_400_000,
      webhooks: [],
      defaultObjective: { availability: 0.99, minRequests: 20 },
      errors: { enabled: true, above: 0.1 },
      anomaly: { enabled: true, z: 6, actions: { minimal: "log", limited: "alert", high: "alert" } },
    });
  });

  it("compiles addresses, durations and secrets", () => {
    const result = tryBank(
      [
        adding(`telemetry:
  allow_hosts: ["127.0.0.1:4318"]
  traces: { otlp: "http://127.0.0.1:4318/v1/traces", headers: { Authorization: { env: TOKEN } }, sample: 1, every: 2s }
alerts:
  webhooks: [{ url: "https://hooks.example.com/x", secret: { env: HOOK }, min_severity: critical }]
  silences: [{ rule: cache_hits, until: "2026-12-01T00:00:00Z" }]
  objectives: { assistant: { availability: 0.999, ttft: { under: 800ms } } }`),
      ],
      { secrets },
    );
    expect(result.ok && result.compiled.telemetry.traces).toEqual({
      url: "http://127.0.0.1:4318/v1/traces",
      headers: { authorization: signing },
      serviceName: "weir",
      sample: 1,
      everyMs: 2000,
    });
    expect(result.ok && result.compiled.alerts).toMatchObject({
      webhooks: [{ url: "https://hooks.example.com/x", secret: signing, minSeverity: "critical" }],
      silences: [{ rule: "cache_hits", labels: {}, untilMs: Date.UTC(2026, 11, 1) }],
      objectives: new Map([
        ["assistant", { availability: 0.999, ttft: { underMs: 800, share: 0.95 }, minRequests: 20 }],
      ]),
    });
    expect(result.ok && result.compiled.canonical).not.toContain(signing);
  });

  it.each([
    ['telemetry: { traces: { otlp: "http://otel:4318/v1/traces" } }', "without TLS"],
    ['telemetry: { traces: { otlp: "ftp://otel/" } }', "no http or https address"],
    ['telemetry: { traces: { otlp: "https://user:pw@otel.example.com/" } }', "credentials don't belong"],
    ['telemetry: { allow_hosts: ["http://otel"] }', "without a scheme"],
    ['telemetry: { traces: { otlp: "https://otel.example.com/", sample: 2 } }', "1"],
    ['alerts: { webhooks: [{ url: "http://hooks.example.com/", secret: { env: HOOK } }] }', "without TLS"],
    ['alerts: { webhooks: [{ url: "https://hooks.example.com/", secret: { env: NONE } }] }', "NONE is not set"],
    ['alerts: { webhooks: [{ url: "https://hooks.example.com/", secret: { env: SHORT } }] }', "not `whsec_`"],
    ["alerts: { objectives: { asistant: {} } }", 'no use case "asistant"'],
    ["alerts: { objective: { availability: 1 } }", "1"],
    ["alerts: { silences: [{ rule: budget, until: '2026-12-01' }] }", "a time is written"],
    ["alerts: { silences: [{ rule: budget, until: '2026-13-01T00:00:00Z' }] }", "no such time"],
    ["alerts: { anomaly: { actions: { high: shout } } }", '"shout" is not allowed'],
  ])("%s: %s", (yaml, message) => {
    const result = tryBank([adding(yaml)], { secrets });
    const problems = result.ok ? [] : result.problems.filter(({ severity }) => severity === "error");
    expect(problems.map((problem) => problem.message).join("\n")).toContain(message);
  });
});
