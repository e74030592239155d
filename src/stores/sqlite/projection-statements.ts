/** The fold's writes as SQL text; each is prepared once per file. */
import { spendNames } from "../../projection/index.ts";

export const columnsOf = {
  decisions: [
    "arrival",
    "decision_id",
    "node",
    "seq",
    "at_ms",
    "use_case",
    "kind",
    "tenant",
    "environment",
    "principal_id",
    "credential",
    "subject",
    "state",
    "status",
    "code",
    "result",
    "score",
    "model",
    "rung",
    "attempts",
    "cache",
    "guards_hit",
    "duration_ms",
    "ttft_ms",
    "cost_nano_usd",
    "input_tokens",
    "output_tokens",
    "risk",
    "data_class",
    "automation",
    "synthetic",
    "stream",
    "places",
    "meters",
  ],
  hours: ["hour_ms", "tenant", "use_case", "model", ...spendNames],
  minutes: [
    "minute_ms",
    "use_case",
    "kind",
    "decisions",
    "answered",
    "referred",
    "refused",
    "failed",
    "interrupted",
    "errors",
    "cache_hits",
    "cost_nano_usd",
  ],
} as const;

const insert = (table: string, columns: readonly string[]): string =>
  `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`;
const added = (columns: readonly string[]): string =>
  columns.map((name) => `${name} = ${name} + excluded.${name}`).join(", ");

export const statementsOf = () => ({
  entry: `${insert("entries", ["decision_id", "node", "seq", "at_ms", "kind", "tenant", "segment", "segment_offset"])}
    on conflict do nothing`,
  head: "select coalesce(max(arrival), 0) as arrival from decisions",
  standing: "select * from decisions where decision_id = ?",
  unsettle: "delete from decisions where decision_id = ?",
  settle: `${insert("decisions", columnsOf.decisions)} on conflict (decision_id) do nothing`,
  outcome: `${insert("outcomes", ["decision_id", "outcome_id", "node", "seq", "meta"])}
    on conflict do update set node = excluded.node, seq = excluded.seq, meta = excluded.meta
    where (excluded.node, excluded.seq) < (node, seq)`,
  // A key is free again after 24 h: the newest decision under it counts.
  idempotency: `${insert("idempotency", ["key", "body", "decision_id", "node", "seq", "interrupted", "at_ms"])}
    on conflict do update set body = excluded.body, decision_id = excluded.decision_id, node = excluded.node,
      seq = excluded.seq, interrupted = excluded.interrupted, at_ms = excluded.at_ms
    where (excluded.at_ms, excluded.seq) > (at_ms, seq)`,
  minute: `${insert("minutes", columnsOf.minutes)}
    on conflict do update set ${added(columnsOf.minutes.slice(3))}`,
  hour: `${insert("hours", columnsOf.hours)} on conflict do update set ${added(spendNames)}`,
  latency: `${insert("latencies", ["minute_ms", "use_case", "kind", "bucket", "n"])}
    on conflict do update set n = n + excluded.n`,
  position: `${insert("positions", ["node", "seq", "at_ms", "segment", "segment_offset"])}
    on conflict do update set seq = excluded.seq, at_ms = excluded.at_ms, segment = excluded.segment,
      segment_offset = excluded.segment_offset
    where excluded.seq > seq`,
});
