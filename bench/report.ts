/** Rounds → a table with the design's targets, and the two files in `results/`. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Case, type SystemName, cases, chunkCount, systemNames } from "./cases.ts";
import type { Round } from "./measure.ts";
import { type StreamsReport, printedStreams, streamsVerdict } from "./streams.ts";
import { type Profile, printedProfiles } from "./where-it-goes.ts";

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  node: string;
  nginx: string | null;
  portkey: string | null;
  loadBefore: number[];
  loadAfter: number[];
  commit: string;
  date: string;
}

interface Figures {
  cpuUs?: { median: number; min: number };
  /** Weir only: medians by thread. */
  threadsUs?: Record<string, number>;
  cores?: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  firstByteP50Ms: number;
  firstByteP99Ms: number;
}

export interface Row extends Partial<Record<SystemName, Figures>> {
  case: string;
  about: string;
  targetUs?: number;
  targetPerCore?: number;
  targetTimesPeer?: number;
  ratioToBare?: number;
  ratioToNginx?: number;
  /** Portkey ÷ Weir. */
  cheaperThanPortkey?: number;
  /** Answers that were not what the case expects. */
  problem?: string;
}

export interface Report {
  machine: Machine;
  settings: {
    connections: number;
    rounds: number;
    roundMs: number;
    warmMs: number;
    quick: boolean;
    seconds: number;
    weirResidentMb: number;
  };
  rows: Row[];
  streams?: StreamsReport;
  profiles?: Profile[];
  notes: string[];
  rounds: Round[];
}

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, {
      encoding: "utf8",
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}

export function machine(
  { nginx, portkey }: { nginx: string | undefined; portkey: string | undefined },
  loadBefore: number[],
): Machine {
  const changed = git("status", "--porcelain", "--", "src", "bench") !== "";
  return {
    cpu: cpuModel(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    nginx: nginx ?? null,
    portkey: portkey ?? null,
    loadBefore: loadBefore.map((load) => Math.round(load * 100) / 100),
    loadAfter: loadavg().map((load) => Math.round(load * 100) / 100),
    commit: (git("rev-parse", "--short", "HEAD") || "unknown") + (changed ? "+changes" : ""),
    date: new Date().toISOString(),
  };
}

/** Several virtual machines say only "AMD EPYC": family, model and clock tell generations apart. */
function cpuModel(): string {
  const info = readFileSync("/proc/cpuinfo", "utf8");
  const of = (name: string) => new RegExp(`^${name}\\s*:\\s*(.+)$`, "m").exec(info)?.[1] ?? "?";
  return `${of("model name")} (family ${of("cpu family")}, model ${of("model")}, ${Math.round(Number(of("cpu MHz")))} MHz)`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function figures(rounds: readonly Round[]): Figures | undefined {
  if (rounds.length === 0) return undefined;
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const charged = rounds.flatMap((round) => (round.cpuUs === undefined ? [] : [round.cpuUs]));
  const threads = new Set(rounds.flatMap((round) => Object.keys(round.threadsUs ?? {})));
  return {
    ...(charged.length > 0 && {
      cpuUs: { median: median(charged), min: Math.min(...charged) },
      threadsUs: Object.fromEntries([...threads].map((name) => [name, of((round) => round.threadsUs?.[name] ?? 0)])),
      cores: of((round) => round.cores ?? 0),
    }),
    perSecond: of((round) => round.load.completed / (round.load.durationMs / 1000)),
    p50Ms: of((round) => round.load.p50Ms),
    p99Ms: of((round) => round.load.p99Ms),
    firstByteP50Ms: of((round) => round.load.firstByteP50Ms),
    firstByteP99Ms: of((round) => round.load.firstByteP99Ms),
  };
}

export function summarise(chosen: readonly Case[], rounds: readonly Round[]): Row[] {
  return chosen.map((of) => {
    const group = of.group === "own" ? [of.name] : cases.filter((one) => one.group === of.group).map((one) => one.name);
    const taken = (system: string) =>
      rounds.filter(
        (round) => round.system === system && (system === "weir" ? round.case === of.name : group.includes(round.case)),
      );
    const [direct, nginx, bare, portkey, weir] = systemNames.map((system) => figures(taken(system)));
    const cheaper = portkey?.cpuUs && weir?.cpuUs && portkey.cpuUs.median / weir.cpuUs.median;
    const ratio = (to: Figures | undefined) => weir?.cpuUs && to?.cpuUs && weir.cpuUs.median / to.cpuUs.median;
    const toBare = ratio(bare);
    const toNginx = ratio(nginx);
    const problem = wrongAnswers(of, taken("weir"));
    return {
      case: of.name,
      about: of.about,
      ...(of.targetUs !== undefined && { targetUs: of.targetUs }),
      ...(of.targetPerCore !== undefined && { targetPerCore: of.targetPerCore }),
      ...(of.targetTimesPeer !== undefined && { targetTimesPeer: of.targetTimesPeer }),
      ...(weir && { weir }),
      ...(bare && { bare }),
      ...(nginx && { nginx }),
      ...(direct && { direct }),
      ...(portkey && { portkey }),
      ...(toBare && { ratioToBare: toBare }),
      ...(toNginx && { ratioToNginx: toNginx }),
      ...(cheaper && { cheaperThanPortkey: cheaper }),
      ...(problem !== undefined && { problem }),
    };
  });
}

function wrongAnswers(of: Case, rounds: readonly Round[]): string | undefined {
  const wrong = new Map<string, number>();
  for (const { load } of rounds)
    for (const [status, count] of Object.entries(load.statuses))
      if (status !== of.status) wrong.set(status, (wrong.get(status) ?? 0) + count);
  return wrong.size === 0
    ? undefined
    : `expected ${of.status}, got ${[...wrong].map(([status, count]) => `${count} × ${status}`).join(", ")}`;
}

const us = (value: number | undefined) =>
  value === undefined ? "–" : value >= 100 ? value.toFixed(0) : value.toFixed(1);
const times = (value: number | undefined) => (value === undefined ? "–" : `${value.toFixed(1)}×`);

function verdict({ targetUs, weir, problem }: Row): string {
  if (problem !== undefined) return "WRONG ANSWERS";
  if (targetUs === undefined || !weir?.cpuUs) return "–";
  return weir.cpuUs.median <= targetUs ? "met" : `missed ×${(weir.cpuUs.median / targetUs).toFixed(1)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  return [
    line(head),
    `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`,
    ...rows.map(line),
  ].join("\n");
}

function cpuTable(rows: readonly Row[]): string {
  return table(
    [
      "case",
      "target",
      "weir",
      "min",
      "main thread",
      "verdict",
      "bare",
      "nginx",
      "portkey",
      "× bare",
      "× nginx",
      "× portkey",
    ],
    rows.map((row) => [
      row.case,
      us(row.targetUs),
      us(row.weir?.cpuUs?.median),
      us(row.weir?.cpuUs?.min),
      us(row.weir?.threadsUs?.main),
      verdict(row),
      us(row.bare?.cpuUs?.median),
      us(row.nginx?.cpuUs?.median),
      us(row.portkey?.cpuUs?.median),
      times(row.ratioToBare),
      times(row.ratioToNginx),
      times(row.cheaperThanPortkey),
    ]),
  );
}

function latencyTable(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    systemNames.flatMap((system) => {
      const it = row[system];
      if (!it) return [];
      return [
        [
          row.case,
          system,
          it.perSecond.toFixed(0),
          (it.cores ?? 0).toFixed(2),
          it.p50Ms.toFixed(2),
          it.p99Ms.toFixed(2),
          it.firstByteP50Ms.toFixed(2),
          it.firstByteP99Ms.toFixed(2),
        ],
      ];
    }),
  );
  return table(["case", "system", "req/s", "cores", "p50 ms", "p99 ms", "first byte p50", "first byte p99"], lines);
}

function streamLines(rows: readonly Row[]): string[] {
  const perChunk = (of: Figures | undefined) => us(of?.cpuUs && of.cpuUs.median / chunkCount);
  return rows.flatMap(({ case: name, weir, bare, nginx, direct }) => {
    if (!weir || (name !== "stream" && name !== "calm-stream")) return [];
    const added = (of: Figures | undefined) =>
      of ? `${(weir.firstByteP50Ms - of.firstByteP50Ms).toFixed(2)} ms` : "unknown";
    return [
      `- ${name}, per chunk (${chunkCount} a stream): Weir ${perChunk(weir)} µs${name === "stream" ? " (target 16)" : ""}, bare ${perChunk(bare)} µs, nginx ${perChunk(nginx)} µs.`,
      `- ${name}, added time to first byte, p50: ${added(direct)} over the vendor itself, ${added(bare)} over the bare proxy, ${added(nginx)} over nginx${name === "calm-stream" ? " (target ≤ 1 ms)" : ""}.`,
    ];
  });
}

function threadLines(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    const threads = Object.entries(row.weir?.threadsUs ?? {})
      .filter(([, cost]) => cost >= 0.5)
      .sort((a, b) => b[1] - a[1]);
    return threads.length === 0
      ? []
      : [`- ${row.case}: ${threads.map(([name, cost]) => `${name} ${us(cost)}`).join(", ")}`];
  });
}

const perCore = (of: Figures | undefined): number | undefined => of?.cpuUs && 1e6 / of.cpuUs.median;

/** What was promised, one line each; only what this run measured. */
function verdictTable({ rows, streams }: Report): string {
  const lines: string[][] = [];
  const judge = (promise: string, target: string, figure: string, met: boolean) =>
    lines.push([promise, target, figure, met ? "met" : "MISSED"]);
  for (const row of rows) {
    const cpuUs = row.weir?.cpuUs?.median;
    if (cpuUs === undefined || row.problem !== undefined) continue;
    if (row.case === "stream")
      judge("stream, per chunk", "≤ 16 µs", `${us(cpuUs / chunkCount)} µs`, cpuUs / chunkCount <= 16);
    else if (row.targetUs !== undefined)
      judge(row.case, `≤ ${row.targetUs} µs`, `${us(cpuUs)} µs`, cpuUs <= row.targetUs);
    const core = perCore(row.weir)!;
    if (row.targetPerCore !== undefined)
      judge(`${row.case}, per core`, `≥ ${row.targetPerCore}/s`, `${core.toFixed(0)}/s`, core >= row.targetPerCore);
    const { targetTimesPeer, cheaperThanPortkey } = row;
    if (targetTimesPeer !== undefined && cheaperThanPortkey !== undefined)
      judge(
        `${row.case}, cheaper than Portkey`,
        `≥ ${targetTimesPeer}×`,
        times(cheaperThanPortkey),
        cheaperThanPortkey >= targetTimesPeer,
      );
    if (row.case === "calm-stream" && row.weir && row.direct) {
      const added = row.weir.firstByteP50Ms - row.direct.firstByteP50Ms;
      judge("stream, added time to first byte, p50", "≤ 1 ms", `${added.toFixed(2)} ms`, added <= 1);
    }
  }
  if (streams) {
    const { figure, met } = streamsVerdict(streams);
    judge(`${streams.asked} open streams, memory`, "< 500 MB", figure, met);
  }
  return table(["promise", "target", "measured", "verdict"], lines);
}

const standing = [
  "CPU µs per request = user + system time of the process under test (all threads, /proc/<pid>/stat, 10 ms ticks) ÷ completed requests. Weir is charged until it is at rest after the load, so its projection worker, tree and checkpoints are in the figure; at most 2.5 s of it.",
  "Load generator and mock vendor run on the same machine and are not charged. They are Node processes: rates and latencies are those of three busy processes on these cores, not of the system alone. Compare ratios, not requests per second.",
  "Everything is plain HTTP/1.1 on loopback: no TLS to clients or vendors. nginx runs as one process, access log off, and neither it nor the bare proxy identifies, limits, scans or records anything.",
  "Weir runs with the Node flags that it ships with (package.json, config.node_flags). Portkey is the published npm package, pinned with the @hono/node-server on which its streams work, started as its users start it: it reads the vendor from headers, and neither limits, scans nor records. × portkey is its CPU ÷ Weir's.",
  "Tokens are estimated before a call, for limits and the hold on money, and settled from what the vendor reports.",
  "The 1 KB and 32 KB cases scan input and output, each prompt one of 64. Streams are scanned on input only: a blocking output guard would hold the whole answer back.",
];

export function printed(report: Report): string {
  const { machine: on, settings, rows } = report;
  const problems = rows.flatMap((row) => (row.problem === undefined ? [] : [`- ${row.case}: ${row.problem}`]));
  return [
    `# Benchmark ${on.date.slice(0, 16).replace("T", " ")} UTC, ${on.commit}`,
    "",
    `${on.cpu}, ${on.cores} cores, ${on.memoryGb} GiB, Linux ${on.kernel}; Node ${on.node}, nginx ${on.nginx ?? "not installed"}, Portkey ${on.portkey ?? "not installed"}; load average ${on.loadBefore.join(" ")} before, ${on.loadAfter.join(" ")} after.`,
    `${settings.rounds} interleaved rounds of ${settings.roundMs} ms, ${settings.connections} connections, medians; ${settings.seconds} s in all${settings.quick ? " (quick: figures are coarse)" : ""}. Weir's memory at the end: ${settings.weirResidentMb} MB resident.`,
    "",
    "## Verdicts (design §7 and issue 3)",
    "",
    verdictTable(report),
    "",
    "## CPU µs per request",
    "",
    cpuTable(rows),
    "",
    ...streamLines(rows),
    ...problems,
    "",
    "## Weir's CPU by thread, µs per request",
    "",
    ...threadLines(rows),
    "",
    "## Rate and latency",
    "",
    latencyTable(rows),
    "",
    ...(report.streams ? printedStreams(report.streams) : []),
    ...printedProfiles(report.profiles ?? []),
    "## Cases",
    "",
    ...rows.map((row) => `- **${row.case}**: ${row.about}.`),
    "",
    "## Notes",
    "",
    ...[...report.notes, ...standing].map((note) => `- ${note}`),
    "",
  ].join("\n");
}

/** Returns the paths written. */
export function write(report: Report): string[] {
  const folder = fileURLToPath(new URL("results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const { date, commit } = report.machine;
  const name = `${date.slice(0, 10)}-${commit.replace("+changes", "")}${report.settings.quick ? "-quick" : ""}`;
  const paths = [join(folder, `${name}.json`), join(folder, `${name}.md`)];
  writeFileSync(paths[0]!, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(paths[1]!, printed(report));
  return paths;
}
