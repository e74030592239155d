/** One round: connections up, CPU read, load, CPU read when the process has come to rest. */
import type { Case } from "./cases.ts";
import { cpuTime } from "./cpu.ts";
import type { Generator, LoadResult } from "./generator.ts";

export interface Round {
  case: string;
  system: string;
  /** All threads, until the process is at rest after the load, ÷ completed requests; absent for `direct`. */
  cpuUs?: number;
  /** The share of it by thread; the projection's worker and the pools are not `main`. */
  threadsUs?: Record<string, number>;
  /** CPU ÷ wall time while loaded: 1 is one core. */
  cores?: number;
  load: LoadResult;
}

const restEveryMs = 100;
const restWithinMs = 2500;
// An idle server's timers stay below this per look.
const restUs = 10_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What the process still does for the requests after their answers (projection, checkpoints) is theirs too. */
async function atRest(pid: number): Promise<void> {
  let before = cpuTime(pid).totalUs;
  for (let waited = 0; waited < restWithinMs; waited += restEveryMs) {
    await pause(restEveryMs);
    const now = cpuTime(pid).totalUs;
    if (now - before <= restUs) return;
    before = now;
  }
}

export interface Target {
  name: string;
  port: number;
  /** Absent where nothing is charged. */
  pid?: number;
}

export async function measure(
  generator: Generator,
  of: Case,
  target: Target,
  connections: number,
  durationMs: number,
): Promise<Round> {
  await generator.connect(of.name, target.port, connections);
  const before = target.pid === undefined ? undefined : cpuTime(target.pid);
  const load = await generator.run(durationMs);
  const loaded = target.pid === undefined ? undefined : cpuTime(target.pid);
  await generator.disconnect();
  if (target.pid === undefined || !before || !loaded) return { case: of.name, system: target.name, load };
  await atRest(target.pid);
  const after = cpuTime(target.pid);
  const threadsUs = Object.fromEntries(
    Object.entries(after.byThread)
      .map(([name, us]) => [name, (us - (before.byThread[name] ?? 0)) / load.completed] as const)
      .filter(([, us]) => us > 0),
  );
  return {
    case: of.name,
    system: target.name,
    cpuUs: (after.totalUs - before.totalUs) / load.completed,
    threadsUs,
    cores: (loaded.totalUs - before.totalUs) / 1000 / load.durationMs,
    load,
  };
}
