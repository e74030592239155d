import type { Command } from "commander";
import type { AttemptMeta, BegunMeta, OutcomeMeta, RouteReason, SettledMeta } from "../kernel/decision.ts";
import { isDecisionId } from "../kernel/ids.ts";
import { formatUsd, nanoUsd } from "../kernel/money.ts";
import type { StoredEntry } from "../ledger/index.ts";
import { entriesOf } from "./ledger-access.ts";
import { withData } from "./options.ts";

export function addWhy(program: Command): void {
  withData(program.command("why").description("explain one decision from its record"))
    .argument("<decision>", "its id, as in x-weir-decision-id")
    .option("--json", "the entries' metadata as JSON")
    .action(async (decision: string, options: { data: string; json?: boolean }) => {
      if (!isDecisionId(decision))
        throw new Error(`"${decision.slice(0, 64)}" is no decision id; it looks like dec_ and 26 characters`);
      const found = await entriesOf(options.data, decision);
      if (!found) throw new Error(`${decision} is not in the ledger of ${options.data}; check the id and --data`);
      const entries = found.entries.map(({ entry }) => entry);
      process.stdout.write(
        options.json ? `${JSON.stringify(entries, null, 2)}\n` : `${explain(decision, found.node, found.entries)}\n`,
      );
    });
}

type Line = string | undefined;

function explain(decision: string, node: string, stored: readonly StoredEntry[]): string {
  const meta = <T>(kind: string): T | undefined =>
    stored.find(({ entry }) => entry.kind === kind)?.entry.meta as T | undefined;
  const settled = meta<SettledMeta>("settled");
  const begun = settled ?? meta<BegunMeta>("begun");
  if (!begun) return `${decision}: the ledger holds only amendments of it`;
  const lines: Line[] = [
    settled ? headline(decision, settled) : `${decision}: begun and not settled yet`,
    "",
    `who        ${begun.principal.type} ${begun.principal.id} (key ${begun.principal.credential}), ${begun.environment}, by ${begun.surface}`,
    `what       ${begun.use_case} (${begun.kind}, ${begun.risk} risk, ${begun.data_class} data)`,
    begun.purpose &&
      `why asked  ${begun.purpose}${begun.basis ? `; ${begun.basis}` : ""}${begun.consent ? `; consent ${begun.consent}` : ""}`,
    begun.subject && `about      subject ${begun.subject}`,
    `under      snapshot ${begun.snapshot.number} (${begun.snapshot.hash.slice(0, 12)}), bundle ${begun.bundle.slice(0, 12)}`,
    begun.synthetic && "marked     synthetic",
    ...(settled ? settledLines(settled) : []),
    ...attemptLines(stored),
    ...outcomeLines(stored),
    "",
    `record     journal ${node}, entries ${stored.map(({ entry }) => `${entry.seq} ${entry.kind}`).join(", ")}`,
    `prove it   weir proof ${decision} --out proof.json, then weir verify --bundle proof.json`,
  ];
  return lines.filter((line) => line !== undefined && line !== "undefined").join("\n");
}

function headline(decision: string, settled: SettledMeta): string {
  const at = new Date(settled.started_at_ms).toISOString();
  const what = settled.result ?? settled.code ?? settled.state;
  const score = settled.score === undefined ? "" : `, score ${settled.score.toFixed(4)}`;
  return `${decision}  ${at}\n${settled.state}: ${what}${score}${settled.refer_to ? ` → ${settled.refer_to}` : ""} (${settled.automation}) in ${settled.duration_ms.toFixed(1)} ms, ${formatUsd(settled.cost_nano_usd)}`;
}

function settledLines(settled: SettledMeta): Line[] {
  const stages = Object.entries(settled.stages).map(([stage, ms]) => `${stage} ${ms.toFixed(2)}`);
  return [
    "",
    settled.code && `ended with ${settled.code}`,
    ...settled.route.flatMap(routeLines),
    settled.model &&
      `answered   by ${settled.model}${settled.rung === undefined ? "" : ` on rung ${settled.rung + 1}`}`,
    settled.cache.status !== "off"
      ? `cache      ${settled.cache.status}${settled.cache.from ? ` of ${settled.cache.from}` : ""}`
      : undefined,
    ...(settled.thresholds ?? []).map(
      (rule, i) => `${i === settled.rule ? "decided by" : "rule      "} ${rule.when} → ${rule.result}`,
    ),
    ...settled.reasons.map(
      (reason) => `reason     ${reason.name} (${reason.basis})${reason.text ? `: ${reason.text}` : ""}`,
    ),
    ...settled.guards.map(
      (guard) => `guard      ${guard.guard} on ${guard.on}: ${guard.verdict}, ${guard.action}${found(guard.findings)}`,
    ),
    ...(settled.retrieval?.passages ?? []).map((passage) => `passage    ${passage.source} (${passage.score})`),
    settled.dropped && `dropped    ${settled.dropped.join(", ")}`,
    settled.delivered &&
      `delivered  ${settled.delivered.frames} frames, ${settled.delivered.complete ? "complete" : "incomplete"}`,
    stages.length > 0 ? `stages ms  ${stages.join(" · ")}` : undefined,
  ];
}

/** What routing found of one model: whether it was open, its place in a pool, a cascade's figures, an override. */
export function routeLines(reason: RouteReason): string[] {
  const { pool, cascade, detail } = reason;
  const open = reason.eligible
    ? pool?.place === undefined
      ? "eligible"
      : `eligible, place ${pool.place}`
    : `not eligible, ${reason.reason}`;
  const lines = [`rung ${reason.rung + 1}     ${reason.target}: ${open}${detail ? ` (${detail})` : ""}`];
  if (pool) {
    const figures = Object.entries(pool.figures ?? {}).map(([name, figure]) => `${name} ${figure}`);
    lines.push(`           in a pool, ${pool.strategy}${figures.length > 0 ? `: ${figures.join(", ")}` : ""}`);
  }
  if (cascade) {
    const { judged, accepted, accepted_at_most, break_even, state } = cascade;
    const needed = break_even === undefined ? "the next rung is free" : `worth it above ${break_even}`;
    lines.push(
      `           cascade ${state}: p(accepted) ${accepted}, at most ${accepted_at_most}, of ${judged} judged; ${needed} (c1 ${formatUsd(nanoUsd(cascade.c1_nano_usd))}, c2 ${formatUsd(nanoUsd(cascade.c2_nano_usd))})`,
    );
  }
  if (reason.override !== undefined) lines.push(`           by override ${reason.override}`);
  return lines;
}

function found(findings: Record<string, number>): string {
  const kinds = Object.entries(findings).map(([kind, count]) => `${count} ${kind}`);
  return kinds.length === 0 ? "" : ` (${kinds.join(", ")})`;
}

function attemptLines(stored: readonly StoredEntry[]): string[] {
  return stored
    .filter(({ entry }) => entry.kind === "attempt")
    .map(({ entry }) => {
      const attempt = entry.meta as unknown as AttemptMeta;
      const tokens = attempt.usage.input + attempt.usage.cached_input + attempt.usage.output;
      const used =
        tokens === 0
          ? ""
          : `, ${attempt.usage.input}+${attempt.usage.cached_input} in / ${attempt.usage.output} out${attempt.usage.estimated ? " (estimated)" : ""}`;
      return `attempt ${attempt.n}  ${attempt.target} (${attempt.arm}, ${attempt.region}${attempt.key === undefined ? "" : `, key ${attempt.key}`}): ${attempt.status}${attempt.reason ? `, ${attempt.reason}` : ""} in ${attempt.duration_ms.toFixed(1)} ms${used}, ${formatUsd(attempt.cost_nano_usd)}`;
    });
}

function outcomeLines(stored: readonly StoredEntry[]): string[] {
  return stored
    .filter(({ entry }) => entry.kind === "amended" && entry.meta["amends"] === "outcome")
    .map(({ entry }) => {
      const outcome = entry.meta as unknown as OutcomeMeta;
      const value = outcome.value === undefined ? "" : ` ${outcome.value}`;
      return `outcome    ${outcome.label}${value}, observed ${new Date(outcome.observed_at_ms).toISOString()} (${outcome.outcome_id})`;
    });
}
