/** The schema of what operators see and hear: log, metrics, traces, alerts. Read at the start of the process. */
import { z } from "zod";
import { count, duration, name, secret, strict, text } from "./schema-values.ts";

const address = z
  .string()
  .refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), "this is no http or https address")
  .refine((value) => !/^\w+:\/\/[^/?#]*@/.test(value), "credentials don't belong into an address; use headers");

const traces = strict({
  otlp: address.describe("Where OTLP/HTTP JSON is posted to, with its path, e.g. https://otel.example.com/v1/traces."),
  headers: z
    .record(text, secret)
    .describe("Headers of the collector, e.g. { authorization: { env: OTEL_TOKEN } }.")
    .default({}),
  service: text.describe("service.name of the traces.").default("weir"),
  sample: z
    .number()
    .min(0)
    .max(1)
    .describe("Part of the decisions that is traced where the caller's traceparent doesn't say; failures always are.")
    .default(0.1),
  every: duration.describe("How often what has settled is sent.").default("5s"),
});

export const telemetrySchema = strict({
  log: strict({
    level: z.enum(["debug", "info", "warn", "error"]).describe("The least that is written.").default("info"),
    format: z
      .enum(["auto", "json", "text"])
      .describe("JSON lines, or text for people; auto is text on a terminal.")
      .default("auto"),
  })
    .describe("The process log on stderr.")
    .prefault({}),
  allow_hosts: z
    .array(
      z
        .string()
        .regex(
          /^(\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9.-]*)(:\d{1,5})?$/,
          "a host, or host:port, in lower case, without a scheme",
        ),
    )
    .describe("Hosts that traces and webhooks may reach without TLS or at private addresses. Others: https, public.")
    .default([]),
  metrics: strict({
    max_series: count.describe("Most series of one metric; further label values are counted as `other`.").default(2000),
  })
    .describe("Prometheus metrics at /metrics of the ops port.")
    .prefault({}),
  traces: traces.describe("OpenTelemetry traces of decisions, never with content. Default: none.").optional(),
}).describe("Log, metrics and traces. Read at start.");

const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/, 'a time is written "2026-12-01T00:00:00Z"')
  .refine((value) => !Number.isNaN(Date.parse(value)), "there is no such time");

const part = z.number().gt(0).lt(1);
const minRequests = count.describe("Fewer decisions in a window say nothing.").default(20);

const latencyGoal = strict({
  under: duration.describe("How long it may take."),
  share: part.describe("Part of the decisions for which that has to hold.").default(0.95),
});

const objective = strict({
  availability: part.describe("Part of the decisions that must not fail by vendors' or Weir's doing.").default(0.99),
  latency: latencyGoal.describe("Time to the whole answer, of what is not streamed.").optional(),
  ttft: latencyGoal.describe("Time to the first content of a stream.").optional(),
  min_requests: minRequests,
});

const shareRule = (above: number, what: string) =>
  strict({
    enabled: z.boolean().describe("Whether it is watched.").default(true),
    above: part.describe("Part of the last five minutes' decisions.").default(above),
    min_requests: minRequests,
  })
    .describe(what)
    .prefault({});

const anomalyAction = z
  .enum(["log", "alert", "throttle", "block"])
  .describe("log and alert tell; throttle and block are also asked for before the caller's next calls.");
const usualActions = { minimal: "log", limited: "alert", high: "alert" } as const;

const anomaly = strict({
  enabled: z.boolean().describe("Whether callers are compared with their own past.").default(true),
  z: z
    .number()
    .min(3)
    .max(100)
    .describe("Standard deviations from its baseline that make a minute unusual.")
    .default(6),
  warmup: count.describe("Minutes with calls before a baseline counts.").default(30),
  min_requests: minRequests,
  hold: duration.describe("How long an action holds after the last unusual minute.").default("10m"),
  actions: strict({
    minimal: anomalyAction.default(usualActions.minimal),
    limited: anomalyAction.default(usualActions.limited),
    high: anomalyAction.default(usualActions.high),
  })
    .describe("What follows, by the highest risk tier of what the caller calls.")
    .prefault({}),
})
  .describe("Callers whose rate, size, refusals, cost or kinds of errors are unlike before, two minutes in a row.")
  .prefault({});

export const alertsSchema = strict({
  webhooks: z
    .array(
      strict({
        url: address.describe("Where events are posted to (Standard Webhooks)."),
        secret,
        min_severity: z
          .enum(["info", "warning", "critical"])
          .describe("The least severe alert that is sent.")
          .default("warning"),
      }),
    )
    .describe("Who is told.")
    .default([]),
  every: duration.describe("How often is looked.").default("5s"),
  renotify: duration.describe("After how long an alert that still fires is sent again.").default("4h"),
  resolve_after: duration.describe("How long a condition has to be gone until its alert is resolved.").default("1m"),
  silences: z
    .array(
      strict({
        rule: text.describe("Name of a rule, or *."),
        labels: z
          .record(text, text)
          .describe("Labels that have to be equal, e.g. { use_case: assistant }.")
          .default({}),
        until: instant
          .describe("Time at which it ends, e.g. 2026-12-01T00:00:00Z. Default: as long as it stands here.")
          .optional(),
      }),
    )
    .describe("What is counted and listed, but not sent.")
    .default([]),
  objective: objective.describe("What is promised of every use case that isn't named below.").prefault({}),
  objectives: z.record(name, objective).describe("What is promised of single use cases.").default({}),
  errors: shareRule(0.1, "Decisions that end with an error, by whose doing it is."),
  fallbacks: shareRule(0.2, "Decisions that a further rung answered because the first one failed."),
  climbs: shareRule(0.7, "Decisions that a further rung answered because the first answer wasn't accepted."),
  cache: strict({
    drop_to: part.describe("Part of the usual hit rate of the last six hours.").default(0.5),
    min_requests: count.describe("Fewer looks into the cache say nothing.").default(100),
  })
    .describe("A cache that answers less than it used to.")
    .prefault({}),
  anomaly,
}).describe(
  "What operators are told. Budgets, targets, vendors' keys and the journal are always watched. Read at start.",
);
