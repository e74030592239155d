/**
 * `node bench/profile.ts <case> [--seconds 6]`: Weir under one case's load with `--cpu-prof`, then where its main thread
 * spends itself: self time by function and by file, in µs per request. The profiler itself adds to every figure.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cases } from "./cases.ts";
import { cpuTime } from "./cpu.ts";
import { startHouse } from "./house.ts";
import { startGenerator, startUpstream, stopSystems } from "./systems.ts";

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "6" }, top: { type: "string", default: "40" } },
});
const of = cases.find((one) => one.name === positionals[0]);
if (!of) throw new Error(`name a case: ${cases.map((one) => one.name).join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "weir-profile-"));
const profiles = join(folder, "profiles");
const connections = 32;

async function load(): Promise<{ completed: number; cpuUs: number; mainUs: number }> {
  const upstream = await startUpstream();
  const house = await startHouse(folder, upstream.port, [
    "--cpu-prof",
    `--cpu-prof-dir=${profiles}`,
    "--cpu-prof-interval=250",
  ]);
  const generator = startGenerator();
  await generator.define(of!.requests(of!.key === "unknown" ? house.unknownKey : house.key));
  await generator.connect(of!.name, house.port, connections);
  const warm = await generator.run(3000);
  const before = cpuTime(house.pid);
  const { completed } = await generator.run(Number(values.seconds) * 1000);
  const after = cpuTime(house.pid);
  await generator.disconnect();
  await house.stop();
  process.stderr.write(`${warm.completed} requests to warm up, ${completed} measured\n`);
  return { completed, cpuUs: after.totalUs - before.totalUs, mainUs: after.byThread.main! - before.byThread.main! };
}

/** Self time by place, of the last `seconds` before the load ended; the profile runs on until the process has stopped. */
function selfTimes(profile: CpuProfile): {
  total: number;
  byPlace: Map<string, number>;
  inclusive: Map<string, number>;
} {
  const place = new Map(profile.nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const parent = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const byPlace = new Map<string, number>();
  const inclusive = new Map<string, number>();
  const until = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  // The warm-up is left out: compiling is not serving.
  const from = until - Number(values.seconds) * 1e6;
  let at = 0;
  let total = 0;
  for (const [i, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[i]!;
    at += delta;
    const here = place.get(id)!;
    if (at < from || here === "(idle)") continue;
    total += delta;
    byPlace.set(here, (byPlace.get(here) ?? 0) + delta);
    const seen = new Set<string>();
    for (let node: number | undefined = id; node !== undefined; node = parent.get(node)) seen.add(place.get(node)!);
    for (const one of seen) inclusive.set(one, (inclusive.get(one) ?? 0) + delta);
  }
  return { total, byPlace, inclusive };
}

function placeOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  const short = url.replace(/^file:\/\/.*\/node_modules\//, "").replace(/^file:\/\/.*?\/(src|bench)\//, "$1/");
  return `${name} ${short}:${lineNumber + 1}`;
}

function printTop(title: string, values_: Map<string, number>, perRequest: number, total: number): void {
  process.stdout.write(`\n${title}\n`);
  const sorted = [...values_].sort((a, b) => b[1] - a[1]).slice(0, Number(values.top));
  for (const [name, us] of sorted)
    process.stdout.write(
      `${(us * perRequest).toFixed(2).padStart(8)} µs ${((100 * us) / total).toFixed(1).padStart(5)} %  ${name}\n`,
    );
}

function byFile(places: Map<string, number>): Map<string, number> {
  const files = new Map<string, number>();
  for (const [name, us] of places) {
    const file = / (\S+):\d+$/.exec(name)?.[1] ?? name;
    const group = file.startsWith("node:") ? file : file.startsWith("src/") ? file : file.split("/")[0]!;
    files.set(group, (files.get(group) ?? 0) + us);
  }
  return files;
}

try {
  const { completed, cpuUs, mainUs } = await load();
  process.stdout.write(
    `${of.name}: ${(cpuUs / completed).toFixed(1)} µs per request under the profiler, main thread ${(mainUs / completed).toFixed(1)}\n`,
  );
  for (const name of readdirSync(profiles)) {
    const profile = JSON.parse(readFileSync(join(profiles, name), "utf8")) as CpuProfile;
    const { total, byPlace, inclusive } = selfTimes(profile);
    // Scaled to the measured main thread; workers' profiles are only shares of their own time.
    const main =
      /\.0\.\d+\.cpuprofile$|\.0\.cpuprofile$/.test(name) ||
      [...byPlace.keys()].some((place) => place.includes("src/path/"));
    const perRequest = main ? mainUs / completed / total : 1 / completed;
    process.stdout.write(`\n=== ${name} ${main ? "(main thread)" : ""}\n`);
    printTop("by function, self", byPlace, perRequest, total);
    if (!main) continue;
    printTop("by file, self", byFile(byPlace), perRequest, total);
    printTop(
      "by function, with callees",
      new Map([...inclusive].filter(([place]) => place.includes("src/"))),
      perRequest,
      total,
    );
  }
} finally {
  stopSystems();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
