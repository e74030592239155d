import type { StageName } from "../kernel/decision.ts";
import type { Decision } from "./context.ts";

/** Runs a stage and adds its time, in milliseconds, to the decision's `stages`; a promise is timed until it settles. */
export function timed<Result>(d: Decision, stage: StageName, run: () => Result): Result {
  const from = d.clock.monotonic();
  const done = () => {
    d.stages[stage] = (d.stages[stage] ?? 0) + d.clock.monotonic() - from;
  };
  const result = run();
  if (result instanceof Promise) return result.finally(done) as Result;
  done();
  return result;
}
