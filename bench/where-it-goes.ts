/** Weir under one case's load with `--cpu-prof`: where its main thread spends itself, in µs per request. The profiler adds to every figure. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./cases.ts";
import { cpuTime } from "./cpu.ts";
import { startHouse } from "./house.ts";
import { startGenerator, startUpstream, stopSystems } from "./systems.ts";

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

interface Line {
  place: string;
  us: number;
  /** Of the main thread's time. */
  share: number;
}

export interface Profile {
  case: string;
  completed: number;
  cpuUs: number;
  mainUs: number;
  /** Self time. */
  byFunction: Line[];
  byFile: Line[];
  /** Of our own functions, with what they called. */
  withCallees: Line[];
}

/** What `--profile` looks at unless cases are named. */
export const profiledCases: readonly string[] = ["chat-1k-digest", "chat-32k-digest", "stream"];

const connections = 32;
const warmMs = 3000;

export async function profileCase(of: Case, folder: string, seconds = 6): Promise<Profile> {
  const profiles = join(folder, "profiles");
  const upstream = await startUpstream();
  const nodeFlags = ["--cpu-prof", `--cpu-prof-dir=${profiles}`, "--cpu-prof-interval=250"];
  const house = await startHouse(folder, upstream.port, { nodeFlags });
  try {
    const generator = startGenerator();
    await generator.define(of.requests(of.key === "unknown" ? house.unknownKey : house.key, upstream.port));
    await generator.connect(of.name, house.port, of.connections ?? connections);
    await generator.run(warmMs);
    const before = cpuTime(house.pid);
    const { completed } = await generator.run(seconds * 1000);
    const after = cpuTime(house.pid);
    await generator.disconnect();
    await house.stop();
    const mainUs = (after.byThread.main! - before.byThread.main!) / completed;
    const cpuUs = (after.totalUs - before.totalUs) / completed;
    return { case: of.name, completed, cpuUs, mainUs, ...linesOf(mainProfile(profiles), seconds, mainUs) };
  } finally {
    await house.stop();
    stopSystems();
  }
}

/** Threads leave a profile each; the main one has been through the path. */
function mainProfile(folder: string): CpuProfile {
  for (const name of readdirSync(folder)) {
    const profile = JSON.parse(readFileSync(join(folder, name), "utf8")) as CpuProfile;
    if (profile.nodes.some(({ callFrame }) => callFrame.url.includes("/src/path/decide.ts"))) return profile;
  }
  throw new Error(`${folder}: no profile of the main thread`);
}

/** Of the last `seconds` before the load ended; the warm-up is left out: compiling is not serving. */
function linesOf(
  profile: CpuProfile,
  seconds: number,
  mainUs: number,
): Pick<Profile, "byFunction" | "byFile" | "withCallees"> {
  const place = new Map(profile.nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const parent = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const self = new Map<string, number>();
  const inclusive = new Map<string, number>();
  const from = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0) - seconds * 1e6;
  let at = 0;
  let total = 0;
  for (const [i, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[i]!;
    at += delta;
    const here = place.get(id)!;
    if (at < from || here === "(idle)") continue;
    total += delta;
    self.set(here, (self.get(here) ?? 0) + delta);
    const seen = new Set<string>();
    for (let node: number | undefined = id; node !== undefined; node = parent.get(node)) seen.add(place.get(node)!);
    for (const one of seen) if (one.includes("src/")) inclusive.set(one, (inclusive.get(one) ?? 0) + delta);
  }
  const lines = (times: Map<string, number>): Line[] =>
    [...times]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 60)
      .map(([name, us]) => ({ place: name, us: (us / total) * mainUs, share: us / total }));
  return { byFunction: lines(self), byFile: lines(grouped(self)), withCallees: lines(inclusive) };
}

function placeOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  const short = url.replace(/^file:\/\/.*\/node_modules\//, "").replace(/^file:\/\/.*?\/(src|bench)\//, "$1/");
  return `${name} ${short}:${lineNumber + 1}`;
}

function grouped(places: Map<string, number>): Map<string, number> {
  const files = new Map<string, number>();
  for (const [name, us] of places) {
    const file = / (\S+):\d+$/.exec(name)?.[1] ?? name;
    const group = file.startsWith("node:") || file.startsWith("src/") ? file : file.split("/")[0]!;
    files.set(group, (files.get(group) ?? 0) + us);
  }
  return files;
}

export function printedLines(lines: readonly Line[], top: number): string[] {
  return lines
    .slice(0, top)
    .map(
      ({ place, us, share }) => `${us.toFixed(2).padStart(8)} µs ${(100 * share).toFixed(1).padStart(5)} %  ${place}`,
    );
}

/** A short table for the report; `node bench/profile.ts <case>` has the long one. */
export function printedProfiles(profiles: readonly Profile[]): string[] {
  if (profiles.length === 0) return [];
  return [
    "## Where it goes (main thread under the profiler, self time by file)",
    "",
    ...profiles.flatMap((profile) => [
      `${profile.case}: ${profile.cpuUs.toFixed(0)} µs per request in all, ${profile.mainUs.toFixed(0)} on the main thread`,
      "",
      "```",
      ...printedLines(profile.byFile, 14),
      "```",
      "",
    ]),
  ];
}
