/** Tables of the projection. A change of any of them raises the version: older files are folded again, not migrated. */
import type { DecisionRow, EntryKind, HourDelta } from "../../projection/index.ts";

export const projectionVersion = 5;

interface DecisionTable extends Omit<
  Required<DecisionRow>,
  "subject" | "code" | "result" | "score" | "model" | "rung" | "ttft_ms" | "synthetic" | "stream"
> {
  /** Order in which rows reached this file. */
  arrival: number;
  node: string;
  seq: number;
  /** Of the entries that came with the settled one; see `entry-places.ts`. */
  places: string;
  /** JSON of `Meters`; null where there are none. */
  meters: string | null;
  subject: string | null;
  code: string | null;
  result: string | null;
  score: number | null;
  model: string | null;
  rung: number | null;
  ttft_ms: number | null;
  synthetic: number;
  stream: number;
}

interface MinuteTable {
  minute_ms: number;
  use_case: string;
  kind: DecisionRow["kind"];
  decisions: number;
  answered: number;
  referred: number;
  refused: number;
  failed: number;
  interrupted: number;
  errors: number;
  cache_hits: number;
  cost_nano_usd: number;
}

export interface ProjectionTables {
  /** Of decisions, where they did not come with the settled one. */
  entries: {
    decision_id: string;
    node: string;
    seq: number;
    at_ms: number;
    kind: EntryKind;
    tenant: string;
    segment: number;
    segment_offset: number;
  };
  decisions: DecisionTable;
  outcomes: { decision_id: string; outcome_id: string; node: string; seq: number; meta: string };
  idempotency: {
    key: string;
    body: string;
    decision_id: string;
    node: string;
    seq: number;
    interrupted: number;
    at_ms: number;
  };
  minutes: MinuteTable;
  hours: HourDelta;
  latencies: { minute_ms: number; use_case: string; kind: DecisionRow["kind"]; bucket: number; n: number };
  positions: { node: string; seq: number; at_ms: number; segment: number; segment_offset: number };
  about: { generation: string };
}

export const projectionDdl = `
create table entries (
  decision_id text not null, node text not null, seq integer not null, at_ms integer not null, kind text not null,
  tenant text not null, segment integer not null, segment_offset integer not null, primary key (decision_id, node, seq)
) without rowid, strict;

create table decisions (
  arrival integer primary key, decision_id text not null unique, node text not null, seq integer not null,
  at_ms integer not null, use_case text not null, kind text not null, tenant text not null, environment text not null,
  principal_id text not null, credential text not null, subject text, state text not null, status integer not null, code text, result text,
  score real, model text, rung integer, attempts integer not null, cache text not null, guards_hit integer not null,
  duration_ms real not null, ttft_ms real, cost_nano_usd integer not null, input_tokens integer not null,
  output_tokens integer not null, risk text not null, data_class text not null, automation text not null,
  synthetic integer not null, stream integer not null, places text not null, meters text
) strict;
create index decisions_at on decisions (at_ms, decision_id);
create index decisions_use_case on decisions (use_case, at_ms, decision_id);
create index decisions_state on decisions (state, at_ms, decision_id) where state <> 'answered';
create index decisions_principal on decisions (principal_id, at_ms, decision_id);
create index decisions_code on decisions (code, at_ms, decision_id) where code is not null;
create index decisions_result on decisions (result, at_ms, decision_id) where result is not null;
create index decisions_subject on decisions (subject, at_ms, decision_id) where subject is not null;

create table outcomes (
  decision_id text not null, outcome_id text not null, node text not null, seq integer not null, meta text not null,
  primary key (decision_id, outcome_id)
) without rowid, strict;

create index outcomes_id on outcomes (outcome_id);

create table idempotency (
  key text primary key, body text not null, decision_id text not null, node text not null, seq integer not null,
  interrupted integer not null, at_ms integer not null
) without rowid, strict;
create index idempotency_at on idempotency (at_ms);

create table minutes (
  minute_ms integer not null, use_case text not null, kind text not null, decisions integer not null,
  answered integer not null, referred integer not null, refused integer not null, failed integer not null,
  interrupted integer not null, errors integer not null, cache_hits integer not null, cost_nano_usd integer not null,
  primary key (minute_ms, use_case, kind)
) without rowid, strict;

create table hours (
  hour_ms integer not null, tenant text not null, use_case text not null, model text not null,
  decisions integer not null, answered integer not null, cache_hits integer not null, estimated integer not null,
  cost_nano_usd integer not null, estimated_nano_usd integer not null, saved_nano_usd integer not null,
  input integer not null, cached_input integer not null, cache_write integer not null, output integer not null,
  reasoning integer not null, audio_input integer not null, audio_output integer not null,
  image_output integer not null, primary key (hour_ms, tenant, use_case, model)
) without rowid, strict;

create table latencies (
  minute_ms integer not null, use_case text not null, kind text not null, bucket integer not null, n integer not null,
  primary key (minute_ms, use_case, kind, bucket)
) without rowid, strict;

create table positions (
  node text primary key, seq integer not null, at_ms integer not null, segment integer not null,
  segment_offset integer not null
) without rowid, strict;

create table about (generation text not null) strict;
pragma user_version = ${projectionVersion};
`;
