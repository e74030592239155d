/**
 * Fuzzes one subject in a thread of its own. Before each input its number stands in shared memory, so that the watcher
 * knows which one hangs, or took the thread down with it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type Finding, fuzz } from "./fuzz.ts";
import { allTargets } from "./targets.ts";

export interface FuzzJob {
  subject: string;
  runSeed: number;
  from: number;
  untilMs: number;
  /** Target and number of the input under way, and how many there were. */
  progress: SharedArrayBuffer;
}

export type FuzzMessage = { finding: Finding } | "done";

const job = workerData as FuzzJob;
const progress = new Int32Array(job.progress);
const targets = allTargets().filter(({ subject }) => subject === job.subject);
const say = (message: FuzzMessage) => parentPort!.postMessage(message);
fuzz(targets, {
  runSeed: job.runSeed,
  from: job.from,
  done: () => Date.now() >= job.untilMs,
  before(target, number) {
    Atomics.store(progress, 0, target);
    Atomics.store(progress, 1, number);
    Atomics.add(progress, 2, 1);
  },
  found: (finding) => say({ finding }),
});
say("done");
