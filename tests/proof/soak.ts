/** A started house in a process of its own under a mixed load: is its memory flat, do its books agree, is nothing left over? */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "undici";
import { residentMb } from "../../bench/cpu.ts";
import { type BenchHouse, counterOf, startHouse, verify } from "../../bench/house.ts";
import { type Trend, trendOf } from "./memory-trend.ts";
import { soakConfiguration } from "./soak-house.ts";
import { actsOn, openVendor } from "./soak-load.ts";

export interface SoakReport {
  minutes: number;
  perSecond: number;
  requests: number;
  byAct: Record<string, number>;
  /** Acts that a full target did not take. */
  turnedAway: number;
  /** Answers that were not what the act expects, act → first one. */
  wrong: Record<string, string>;
  trend: Trend | undefined;
  books: Books;
  leftovers: Leftovers;
  verified: string;
  /** Why it did not pass; empty: it did. */
  faults: string[];
}

interface Books {
  sent: number;
  settled: number;
  refused: number;
  replayed: number;
}

interface Leftovers {
  running: number;
  heldNanoUsd: number;
  cacheFlights: number;
  /** Open sockets of the process, before the load and after. */
  socketsBefore: number;
  socketsAfter: number;
}

const sampleEveryMs = 10_000;
const mostAtOnce = 128;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(join(folder, name)).startsWith("socket:");
    } catch {
      // Closed between the two looks.
      return false;
    }
  }).length;
}

export interface SoakOptions {
  minutes: number;
  perSecond: number;
}

export async function soak(options: SoakOptions, say: (text: string) => void): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), "weir-soak-"));
  const vendor = await openVendor();
  const client = new Agent();
  let house: BenchHouse | undefined;
  try {
    house = await startHouse(folder, Number(new URL(vendor.origin).port), { configure: soakConfiguration });
    const acts = actsOn({ origin: `http://127.0.0.1:${house.port}`, key: house.key, vendor, client });
    const socketsBefore = socketsOf(house.pid);
    const { requests, byAct, turnedAway, wrong, samples } = await load(house, acts, options, say);
    await client.close();
    const books = await booksOf(house, requests);
    const leftovers = await leftoversOf(house, socketsBefore);
    await house.stop();
    const verified = await verify(house).then(
      (text) => text.split("\n").slice(0, 3).join(" "),
      (fault: Error) => `FAILED: ${fault.message}`,
    );
    const told = {
      ...options,
      requests,
      byAct,
      turnedAway,
      wrong,
      trend: trendOf(samples),
      books,
      leftovers,
      verified,
    };
    return { ...told, faults: faultsOf(told) };
  } finally {
    await house?.stop();
    await client.destroy();
    await vendor.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Samples = [ms: number, mb: number][];

async function load(
  house: BenchHouse,
  acts: ReturnType<typeof actsOn>,
  { minutes, perSecond }: SoakOptions,
  say: (text: string) => void,
): Promise<Pick<SoakReport, "requests" | "byAct" | "turnedAway" | "wrong"> & { samples: Samples }> {
  const byAct: Record<string, number> = {};
  const wrong: Record<string, string> = {};
  const samples: Samples = [];
  const running = new Set<Promise<void>>();
  let requests = 0;
  let turnedAway = 0;
  const perform = async (i: number): Promise<void> => {
    const [name, act] = acts[(i * 11) % acts.length]!;
    byAct[name] = (byAct[name] ?? 0) + 1;
    try {
      const done = await act(i);
      requests += done.sent;
      if (done.turnedAway) turnedAway += 1;
      if (done.wrong !== undefined) wrong[name] ??= done.wrong;
    } catch (fault) {
      requests += 1;
      wrong[name] ??= String((fault as Error).cause ?? fault);
    }
  };
  const started = performance.now();
  const untilMs = minutes * 60_000;
  let sampleAtMs = 0;
  for (let i = 0; ; i++) {
    const now = performance.now() - started;
    if (now >= untilMs) break;
    if (now >= sampleAtMs) {
      samples.push([now, residentMb(house.pid)]);
      sampleAtMs += sampleEveryMs;
      if (samples.length % 12 === 0)
        say(`soak: ${(now / 60_000).toFixed(0)} min, ${samples.at(-1)![1]} MB, ${requests} requests`);
    }
    const dueMs = (i * 1000) / perSecond;
    if (dueMs > now) await pause(dueMs - now);
    if (running.size >= mostAtOnce) await Promise.race(running);
    const one: Promise<void> = perform(i).finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  return { requests, byAct, turnedAway, wrong, samples };
}

async function booksOf(house: BenchHouse, sent: number): Promise<Books> {
  for (let tries = 0; tries < 50 && (await counterOf(house, "weir_running_decisions")) > 0; tries++) await pause(200);
  return {
    sent,
    settled: await counterOf(house, "weir_decisions_total"),
    refused: await counterOf(house, "weir_refusals_total"),
    replayed: await counterOf(house, "weir_replays_total"),
  };
}

const socketsGoneWithinMs = 30_000;

async function leftoversOf(house: BenchHouse, socketsBefore: number): Promise<Leftovers> {
  const left = {
    running: await counterOf(house, "weir_running_decisions"),
    heldNanoUsd: await counterOf(house, "weir_held_nano_usd"),
    cacheFlights: await counterOf(house, "weir_cache_flights"),
  };
  // Idle connections of both sides go after some seconds; ours to the metrics too.
  for (let waited = 0; waited < socketsGoneWithinMs && socketsOf(house.pid) > socketsBefore; waited += 500)
    await pause(500);
  return { ...left, socketsBefore, socketsAfter: socketsOf(house.pid) };
}

function faultsOf({ wrong, trend, books, leftovers, verified }: Omit<SoakReport, "faults">): string[] {
  const { sent, settled, refused, replayed } = books;
  const { running, heldNanoUsd, cacheFlights, socketsBefore, socketsAfter } = leftovers;
  return [
    ...Object.entries(wrong).map(([act, first]) => `${act}: ${first}`),
    ...(sent === settled + refused + replayed
      ? []
      : [`${sent} requests, but ${settled} settled + ${refused} refused + ${replayed} replayed`]),
    ...(running === 0 ? [] : [`${running} decisions still hold a place`]),
    ...(heldNanoUsd === 0 ? [] : [`${heldNanoUsd} nano-dollars are still held`]),
    ...(cacheFlights === 0 ? [] : [`${cacheFlights} cache flights never landed`]),
    ...(socketsAfter <= socketsBefore
      ? []
      : [`${socketsAfter} sockets are open, ${socketsBefore} were before the load`]),
    ...(verified.startsWith("FAILED") ? [`weir verify: ${verified}`] : []),
    ...(trend && !trend.flat ? [`memory grows: ${trend.told}`] : []),
  ];
}

export function printedSoak(of: SoakReport): string[] {
  const { sent, settled, refused, replayed } = of.books;
  const { running, heldNanoUsd, cacheFlights, socketsBefore, socketsAfter } = of.leftovers;
  return [
    "## Soak",
    "",
    `${of.minutes} minutes at ${of.perSecond} acts a second: ${of.requests} requests, ${of.turnedAway} of them turned away by a full target (503, with the wait). ${of.faults.length === 0 ? "Passed." : "FAILED:"}`,
    ...of.faults.map((fault) => `- ${fault}`),
    "",
    `- Memory of Weir's process: ${of.trend?.told ?? "too short a run to judge it (a quarter of an hour is the least)"}.`,
    `- Books: ${sent} requests = ${settled} settled decisions + ${refused} counted refusals + ${replayed} replays.`,
    `- Left over: ${running} running decisions, ${heldNanoUsd} nano-dollars held, ${cacheFlights} cache flights, ${socketsAfter} sockets (${socketsBefore} before the load).`,
    `- \`weir verify\`: ${of.verified}`,
    `- Acts: ${Object.entries(of.byAct)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")}.`,
    "",
  ];
}
