/**
 * `npm run bench`: CPU µs per request of the governed path beside a bare `node:http` + undici proxy, nginx and Portkey
 * (npm run bench:peers), in one interleaved run: all processes live at once, short rounds in turn, the same mock vendor
 * and the same requests. `--quick` takes half of the cases and under a minute, `--case <name>` (repeatable) takes some;
 * `--streams 5000` holds that many streams open afterwards, `--profile` says where Weir's time goes; `--rounds`,
 * `--round-ms`, `--connections`, `--no-write`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Case, cases, quickCases } from "./cases.ts";
import { residentMb } from "./cpu.ts";
import { counterOf, startHouse, verify } from "./house.ts";
import { type Round, type Target, measure } from "./measure.ts";
import { type Report, machine, printed, summarise, write } from "./report.ts";
import { type StreamsReport, holdStreams } from "./streams.ts";
import {
  nginxVersion,
  portkeyVersion,
  startBareProxy,
  startGenerator,
  startNginx,
  startPortkey,
  startUpstream,
  stopSystems,
} from "./systems.ts";
import { type Profile, profileCase, profiledCases } from "./where-it-goes.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    case: { type: "string", multiple: true },
    rounds: { type: "string" },
    "round-ms": { type: "string" },
    connections: { type: "string", default: "32" },
    streams: { type: "string" },
    profile: { type: "boolean", default: false },
    "no-write": { type: "boolean", default: false },
  },
});

const connections = Number(options.connections);
const rounds = Number(options.rounds ?? 5);
const roundMs = Number(options["round-ms"] ?? (options.quick ? 400 : 1000));
// The two that have much code to compile get the longer time: after 4 s a third of Weir's CPU is still the compiler's,
// after 10 s a tenth.
const warmMs = options.quick ? { governed: 1200, others: 500 } : { governed: 10_000, others: 1500 };
const warmingMs = (system: string): number =>
  system === "weir" || system === "portkey" ? warmMs.governed : warmMs.others;
const endAfterMs = options.quick ? 52_000 : 420_000;
const asked = options.case ?? (options.quick ? quickCases : undefined);
const chosen = asked ? cases.filter((one) => asked.includes(one.name)) : cases;
if (chosen.length === 0) throw new Error(`no such case; take ${cases.map((one) => one.name).join(", ")}`);
if (!(rounds >= 1) || !(roundMs >= 50) || !(connections >= 1))
  throw new Error("--rounds and --connections are at least 1, --round-ms at least 50");

const say = (text: string) => process.stderr.write(`${text}\n`);
const notes: string[] = [];

/** Systems that take a case: those it names, and Weir. A group's references are measured once, with its first case. */
function plan(targets: Record<string, Target>): { of: Case; target: Target }[] {
  const groups = new Set<string>();
  return chosen.flatMap((of) => {
    const first = !groups.has(of.group);
    groups.add(of.group);
    const leader = cases.find((one) => one.group === of.group)!;
    const references = of.group !== "own" && first ? leader.references : of.references;
    return [...references, "weir" as const].flatMap((name) => (targets[name] ? [{ of, target: targets[name] }] : []));
  });
}

async function main(): Promise<void> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));
  const before = loadavg();
  let house: Awaited<ReturnType<typeof startHouse>> | undefined;
  try {
    const upstream = await startUpstream();
    const bare = await startBareProxy(upstream.port);
    const nginx = nginxVersion();
    if (nginx === undefined) {
      notes.push("nginx is not installed: its column is empty and no ratio to it is known.");
      say(
        "*** nginx is not installed: SKIPPED. Install it for the comparison that the design's figures are made with. ***",
      );
    }
    const portkey = portkeyVersion();
    if (portkey === undefined) {
      notes.push("Portkey is not installed (npm run bench:peers): its columns are empty.");
      say(
        "*** Portkey is not installed: SKIPPED. `npm run bench:peers` installs the pinned version beside the bench. ***",
      );
    }
    const targets: Record<string, Target> = {
      direct: { name: "direct", port: upstream.port },
      bare: { name: "bare", port: bare.port, pid: bare.pid },
    };
    if (nginx !== undefined) {
      const { port, pid } = await startNginx(folder, upstream.port);
      targets.nginx = { name: "nginx", port, pid };
    }
    if (portkey !== undefined) {
      const { port, pid } = await startPortkey();
      targets.portkey = { name: "portkey", port, pid };
    }
    house = await startHouse(folder, upstream.port);
    targets.weir = { name: "weir", port: house.port, pid: house.pid };
    const generator = startGenerator();
    for (const of of chosen)
      await generator.define(of.requests(of.key === "unknown" ? house.unknownKey : house.key, upstream.port));
    const slots = plan(targets);
    say(
      `${slots.length} measurements × ${rounds} rounds of ${roundMs} ms, ${connections} connections, after warming up`,
    );
    const sent = { weir: 0 };
    const take = async ({ of, target }: (typeof slots)[number], ms: number): Promise<Round> => {
      const open = of.connections ?? connections;
      const round = await measure(generator, of, target, open, ms);
      // `connect` sends one request per connection as well.
      if (target.name === "weir") sent.weir += round.load.completed + open;
      return round;
    };
    for (const slot of slots) if (slot.target.name !== "direct") await take(slot, warmingMs(slot.target.name));
    const taken: Round[] = [];
    const warm = performance.now();
    let done = 0;
    for (; done < rounds; done++) {
      const perRound = (performance.now() - warm) / Math.max(1, done);
      if (performance.now() - started + perRound > endAfterMs) break;
      // Turned by one each round, so that no system always follows the same other.
      for (let i = 0; i < slots.length; i++) taken.push(await take(slots[(i + done) % slots.length]!, roundMs));
      say(`round ${done + 1} of ${rounds}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
    if (done < rounds) notes.push(`Only ${done} of ${rounds} rounds fitted into the time.`);
    const residentAfter = residentMb(house.pid);
    const counted = (await counterOf(house, "weir_decisions_total")) + (await counterOf(house, "weir_refusals_total"));
    notes.push(parity(sent.weir, counted));
    await house.stop();
    const verified = options.quick
      ? undefined
      : await verify(house).then(
          (text) => text.split("\n").slice(0, 3).join(" "),
          (fault: Error) => `FAILED: ${fault.message}`,
        );
    if (verified !== undefined) notes.push(`\`weir verify\` over the run's ledger: ${verified}`);
    const report: Report = {
      machine: machine({ nginx, portkey }, before),
      settings: {
        connections,
        rounds: done,
        roundMs,
        warmMs: warmMs.governed,
        quick: options.quick,
        seconds: Math.round((performance.now() - started) / 1000),
        weirResidentMb: residentAfter,
      },
      rows: summarise(chosen, taken),
      ...(await more(folder)),
      notes,
      rounds: taken,
    };
    process.stdout.write(`${printed(report)}\n`);
    if (!options["no-write"]) say(`written: ${write(report).join(", ")}`);
    if (report.rows.some((row) => row.problem !== undefined)) process.exitCode = 1;
  } finally {
    await house?.stop();
    stopSystems();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** After the interleaved run, with nothing else alive. */
async function more(folder: string): Promise<{ streams?: StreamsReport; profiles?: Profile[] }> {
  stopSystems();
  const asked = options.streams === undefined ? undefined : Number(options.streams);
  if (asked !== undefined) say(`${asked} streams open at once`);
  const streams = asked === undefined ? undefined : await holdStreams(join(folder, "streams"), asked);
  const profiles: Profile[] = [];
  if (options.profile)
    for (const of of chosen.filter(({ name }) => options.case !== undefined || profiledCases.includes(name))) {
      say(`profile of ${of.name}`);
      profiles.push(await profileCase(of, join(folder, `profile-${of.name}`)));
    }
  return { ...(streams && { streams }), ...(profiles.length > 0 && { profiles }) };
}

const parity = (sent: number, counted: number): string =>
  sent === counted
    ? `Parity: every one of the ${sent} requests to Weir is a settled decision or a counted refusal.`
    : `PARITY BROKEN: ${sent} requests were answered, ${counted} are settled decisions or counted refusals.`;

await main();
process.exit();
