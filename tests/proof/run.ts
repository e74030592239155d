/**
 * `npm run proof`: what takes too long for `npm test`. Every reader of a wire format is fuzzed, five minutes per dialect,
 * two at a time; then a started house bears a mixed load for half an hour and its memory is watched. Results stand in
 * bench/results/proof-<date>-<commit>.md, failing inputs beside it.
 * `--minutes 5`, `--soak-minutes 30` (0 leaves either out), `--dialect <name>` (repeatable), `--seed`, `--soak-rate 100`,
 * `--no-write`, `--replay <file>`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type FuzzReport, fuzzAll, keep, replay } from "./fuzz-run.ts";
import { type SoakReport, printedSoak, soak } from "./soak.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    "soak-minutes": { type: "string", default: "30" },
    "soak-rate": { type: "string", default: "100" },
    dialect: { type: "string", multiple: true },
    seed: { type: "string" },
    replay: { type: "string" },
    "no-write": { type: "boolean", default: false },
  },
});

const results = fileURLToPath(new URL("../../bench/results/", import.meta.url));
const say = (text: string) => process.stderr.write(`${text}\n`);

const number = (name: "minutes" | "soak-minutes" | "soak-rate"): number => {
  const value = Number(options[name]);
  if (!(value >= 0)) throw new Error(`--${name} is a number from 0`);
  return value;
};

function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--", "src") === "" ? "" : "+changes");
  } catch {
    return "unknown";
  }
}

function printedFuzz(report: FuzzReport, kept: readonly string[]): string[] {
  const inputs = report.subjects.reduce((sum, subject) => sum + subject.inputs, 0);
  return [
    "## Fuzz",
    "",
    `${inputs} inputs, seed ${report.runSeed}, ${report.minutes} minutes per dialect, two at a time. ${report.recordings ? "Seeds are recorded wire files and what the dialects write themselves." : "Recorded wire files were absent: seeds are what the dialects write themselves."}`,
    "Held against each input: nothing is thrown, nothing hangs, no usage below zero or not whole, no good end without the dialect's terminator, the same events however the bytes are cut, calls open before their arguments come, nothing after the end, and every client's writer can write what was read without making a good end of a bad one.",
    "",
    "| dialect | readers | inputs | minutes | findings |",
    "|---|---|---:|---:|---:|",
    ...report.subjects.map(
      ({ subject, targets, inputs: own, seconds, findings }) =>
        `| ${subject} | ${targets.map((name) => name.split("/").slice(1).join("/")).join(", ")} | ${own} | ${(seconds / 60).toFixed(1)} | ${findings.length} |`,
    ),
    "",
    ...report.subjects.flatMap(({ findings }) =>
      findings.map(
        (finding) =>
          `- **${finding.target}**, ${finding.rule}: ${firstLine(finding.message)} (${finding.place || "no place"})`,
      ),
    ),
    ...kept.map((path) => `- kept: ${path}`),
    "",
  ];
}

const firstLine = (text: string): string => text.split("\n")[0]!.slice(0, 300);

async function main(): Promise<boolean> {
  const minutes = number("minutes");
  const soakMinutes = number("soak-minutes");
  const date = new Date().toISOString();
  const name = `proof-${date.slice(0, 10)}-${commit().replace("+changes", "")}`;
  const runSeed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed);
  const fuzzed =
    minutes > 0
      ? await fuzzAll({ minutes, runSeed, ...(options.dialect && { subjects: options.dialect }) }, say)
      : undefined;
  const findings = fuzzed?.subjects.flatMap((subject) => subject.findings) ?? [];
  const kept = keep(findings, join(results, `${name}-inputs`));
  const soaked: SoakReport | undefined =
    soakMinutes > 0 ? await soak({ minutes: soakMinutes, perSecond: number("soak-rate") }, say) : undefined;
  const good = findings.length === 0 && (soaked?.faults.length ?? 0) === 0;
  const text = [
    `# Proof ${date.slice(0, 16).replace("T", " ")} UTC, ${commit()}: ${good ? "passed" : "FAILED"}`,
    "",
    `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, Node ${process.version}, load average ${loadavg()
      .map((load) => load.toFixed(2))
      .join(" ")} at the end.`,
    "",
    ...(fuzzed ? printedFuzz(fuzzed, kept) : []),
    ...(soaked ? printedSoak(soaked) : []),
  ].join("\n");
  process.stdout.write(`${text}\n`);
  if (!options["no-write"]) {
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, `${name}.md`), text);
    say(`written: ${join(results, `${name}.md`)}`);
  }
  return good;
}

if (options.replay === undefined) process.exit((await main()) ? 0 : 1);
const again = replay(options.replay);
say(
  again
    ? `${again.target}, ${again.rule}: ${again.message}\n${again.place}`
    : "nothing is wrong with this input any more",
);
process.exit(again ? 1 : 0);
