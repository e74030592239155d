/** Telemetry and alerts: durations, secrets, and addresses that may be called. */
import type { AlertSettings, Objective, ShareRule, TelemetrySettings, TraceSettings } from "../telemetry/port.ts";
import type { SecretSource } from "./compile-targets.ts";
import { type Declaration, unknownName } from "./declaration.ts";
import type { Config } from "./schema.ts";
import { durationMs } from "./values.ts";
import type { Path } from "./yaml-source.ts";

export interface SecretOptions {
  secrets: SecretSource;
  missingSecrets: "error" | "warning";
}

export function compileTelemetry(declaration: Declaration, options: SecretOptions): TelemetrySettings {
  const { log, allow_hosts, metrics, traces } = declaration.config.telemetry;
  return {
    log,
    allowHosts: allow_hosts,
    maxSeriesPerMetric: metrics.max_series,
    ...(traces && { traces: compileTraces(declaration, traces, options) }),
  };
}

function compileTraces(
  declaration: Declaration,
  { otlp, headers, service, sample, every }: NonNullable<Config["telemetry"]["traces"]>,
  options: SecretOptions,
): TraceSettings {
  checkAddress(declaration, ["telemetry", "traces", "otlp"], otlp);
  const resolved = Object.entries(headers).flatMap(([name, reference]) => {
    const value = resolveSecret(declaration, ["telemetry", "traces", "headers", name], reference, options);
    return value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  return {
    url: otlp,
    headers: Object.fromEntries(resolved),
    serviceName: service,
    sample,
    everyMs: durationMs(every)!,
  };
}

export function compileAlerts(declaration: Declaration, options: SecretOptions): AlertSettings {
  const { alerts, use_cases } = declaration.config;
  for (const useCase of Object.keys(alerts.objectives))
    if (!Object.hasOwn(use_cases, useCase)) {
      const known = Object.keys(use_cases);
      unknownName(declaration, ["alerts", "objectives", useCase], `use case "${useCase}"`, useCase, known, "remove it");
    }
  return {
    everyMs: durationMs(alerts.every)!,
    renotifyMs: durationMs(alerts.renotify)!,
    resolveAfterMs: durationMs(alerts.resolve_after)!,
    webhooks: compileWebhooks(declaration, options),
    silences: alerts.silences.map(({ rule, labels, until }) => ({
      rule,
      labels,
      ...(until !== undefined && { untilMs: Date.parse(until) }),
    })),
    defaultObjective: compileObjective(alerts.objective),
    objectives: new Map(Object.entries(alerts.objectives).map(([name, one]) => [name, compileObjective(one)])),
    errors: compileRule(alerts.errors),
    fallbacks: compileRule(alerts.fallbacks),
    climbs: compileRule(alerts.climbs),
    cache: { dropTo: alerts.cache.drop_to, minRequests: alerts.cache.min_requests },
    anomaly: {
      enabled: alerts.anomaly.enabled,
      z: alerts.anomaly.z,
      warmupMinutes: alerts.anomaly.warmup,
      minRequests: alerts.anomaly.min_requests,
      holdMs: durationMs(alerts.anomaly.hold)!,
      actions: alerts.anomaly.actions,
    },
  };
}

function compileWebhooks(declaration: Declaration, options: SecretOptions): AlertSettings["webhooks"] {
  return declaration.config.alerts.webhooks.flatMap(({ url, secret: reference, min_severity }, index) => {
    const path: Path = ["alerts", "webhooks", index];
    checkAddress(declaration, [...path, "url"], url);
    const secret = resolveSecret(declaration, [...path, "secret"], reference, options);
    if (secret === undefined) return [];
    if (!isSigningSecret(secret))
      declaration.report([...path, "secret"], "this secret is not `whsec_` and 24 to 64 bytes in base64", {
        fix: 'make one with: echo "whsec_$(openssl rand -base64 32)"',
      });
    return [{ url, secret, minSeverity: min_severity }];
  });
}

/** As Standard Webhooks has them. */
function isSigningSecret(secret: string): boolean {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const { length } = Buffer.from(base64 ?? "", "base64");
  return length >= 24 && length <= 64;
}

function compileObjective({ availability, latency, ttft, min_requests }: Config["alerts"]["objective"]): Objective {
  const goal = ({ under, share }: NonNullable<typeof latency>) => ({ underMs: durationMs(under)!, share });
  return {
    availability,
    ...(latency && { latency: goal(latency) }),
    ...(ttft && { ttft: goal(ttft) }),
    minRequests: min_requests,
  };
}

const compileRule = ({ enabled, above, min_requests }: Config["alerts"]["errors"]): ShareRule => ({
  enabled,
  above,
  minRequests: min_requests,
});

/** What is sent in clear must be allowed by name. Private addresses behind names show only when they are called. */
function checkAddress(declaration: Declaration, path: Path, address: string): void {
  const { protocol, hostname, host } = new URL(address);
  if (protocol === "https:") return;
  const allowed = declaration.config.telemetry.allow_hosts;
  if (allowed.includes(hostname) || allowed.includes(host.includes(":") ? host : `${host}:80`)) return;
  declaration.report(path, `"${host}" would be called without TLS`, {
    fix: `use https, or add "${host}" to telemetry.allow_hosts`,
  });
}

function resolveSecret(
  declaration: Declaration,
  path: Path,
  reference: { env: string } | { file: string },
  { secrets, missingSecrets }: SecretOptions,
): string | undefined {
  const value = ("env" in reference ? secrets.env(reference.env) : secrets.file(reference.file))?.trim();
  if (value) return value;
  const missing =
    "env" in reference
      ? `the environment variable ${reference.env} is not set`
      : `the file "${reference.file}" is not there or empty`;
  declaration.report([...path, "env" in reference ? "env" : "file"], missing, {
    severity: missingSecrets,
    fix: "provide the secret where the server runs",
  });
  return undefined;
}
