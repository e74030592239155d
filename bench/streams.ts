/**
 * `npm run bench -- --streams 5000`: that many streams open at once through Weir, its memory while they are open and after
 * they have ended. The vendor says something every few seconds and ends them when told; that it bears so many is declared,
 * not learned.
 */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { streamRequest } from "./cases.ts";
import { cpuTime, residentMb } from "./cpu.ts";
import { type BenchHouse, benchConfiguration, counterOf, startHouse } from "./house.ts";
import type { HoldCounts, HoldOrder } from "./stream-holder.ts";
import { startHolder, startUpstream } from "./systems.ts";

const chunkEveryMs = 3000;
const openWithinMs = 120_000;
const heldMs = 12_000;
const targetStreamsMb = 500;

export interface StreamsReport {
  asked: number;
  /** The most that one process may open here; a stream takes two in Weir. */
  openFilesLimit: number;
  open: number;
  failed: Record<string, number>;
  ended: number;
  openedInSeconds: number;
  residentMb: { idle: number; open: number; mostWhileOpen: number; after: number };
  /** CPU ÷ wall time while they were held: what 1 chunk per stream each few seconds costs. */
  coresWhileOpen: number;
  settled: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const countsOf = (holder: ChildProcess): Promise<HoldCounts> =>
  new Promise((resolve) => {
    holder.once("message", (counts: HoldCounts) => resolve(counts));
    holder.send("counts");
  });

async function until(
  holder: ChildProcess,
  done: (counts: HoldCounts) => boolean,
  withinMs: number,
): Promise<HoldCounts> {
  const started = performance.now();
  for (;;) {
    const counts = await countsOf(holder);
    if (done(counts) || performance.now() - started > withinMs) return counts;
    await pause(200);
  }
}

const failures = (counts: HoldCounts): number => Object.values(counts.failed).reduce((sum, count) => sum + count, 0);

// Node has raised it to the hard limit at its start, and children inherit that.
const openFilesLimit = (): number =>
  Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 0);

async function mostResident(house: BenchHouse, forMs: number): Promise<number> {
  let most = 0;
  for (let waited = 0; waited < forMs; waited += 500) {
    most = Math.max(most, residentMb(house.pid));
    await pause(500);
  }
  return most;
}

export async function holdStreams(folder: string, asked: number): Promise<StreamsReport> {
  const limit = openFilesLimit();
  if (limit < 2 * asked + 200)
    throw new Error(
      `${asked} streams take ${2 * asked} sockets in Weir, and a process may open ${limit} files here: run it under "ulimit -n ${2 * asked + 1000}" (or prlimit)`,
    );
  const upstream = await startUpstream(chunkEveryMs);
  const house = await startHouse(folder, upstream.port, {
    configure: (port) => benchConfiguration(port, { scores: false, atOnce: asked }),
  });
  try {
    const holder = await startHolder();
    await pause(1000);
    const idle = residentMb(house.pid);
    const started = performance.now();
    const order: HoldOrder = { port: house.port, count: asked, request: streamRequest(house.key) };
    holder.send(order);
    const opened = await until(holder, (counts) => counts.open + failures(counts) >= asked, openWithinMs);
    const openedInSeconds = (performance.now() - started) / 1000;
    const open = residentMb(house.pid);
    const before = cpuTime(house.pid).totalUs;
    const mostWhileOpen = await mostResident(house, heldMs);
    const coresWhileOpen = (cpuTime(house.pid).totalUs - before) / 1000 / heldMs;
    upstream.child.send("end");
    const over = await until(holder, (counts) => counts.ended + failures(counts) >= asked, 30_000);
    holder.kill();
    await pause(10_000);
    return {
      asked,
      openFilesLimit: limit,
      open: opened.open,
      failed: over.failed,
      ended: over.ended,
      openedInSeconds,
      residentMb: { idle, open, mostWhileOpen, after: residentMb(house.pid) },
      coresWhileOpen,
      settled: await counterOf(house, "weir_decisions_total"),
    };
  } finally {
    await house.stop();
  }
}

export function printedStreams(of: StreamsReport): string[] {
  const { idle, open, mostWhileOpen, after } = of.residentMb;
  const failed = Object.entries(of.failed).map(([why, count]) => `${count} × ${why}`);
  return [
    "## Open streams",
    "",
    `${of.open} of ${of.asked} streams open at once after ${of.openedInSeconds.toFixed(1)} s, ${of.ended} of them ended with the vendor's terminator, ${of.settled} settled decisions.${failed.length > 0 ? ` Others: ${failed.join(", ")}.` : ""}`,
    `Weir's memory, MB resident: ${idle} idle, ${open} when all were open, at most ${mostWhileOpen} while they were, ${after} ten seconds after the last. Per stream ${(((mostWhileOpen - idle) * 1024) / Math.max(1, of.open)).toFixed(1)} KB. ${of.coresWhileOpen.toFixed(2)} cores for a chunk per stream every ${chunkEveryMs / 1000} s.`,
    `A stream takes two sockets in Weir; a process may open ${of.openFilesLimit} files here.`,
    "",
  ];
}

export const streamsVerdict = (of: StreamsReport): { figure: string; met: boolean } => ({
  figure: `${of.residentMb.mostWhileOpen} MB, ${of.open} open`,
  met: of.open === of.asked && of.residentMb.mostWhileOpen < targetStreamsMb,
});
