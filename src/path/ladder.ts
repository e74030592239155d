/** Which rung comes next. Routing has already left out what is not eligible; time and the client decide the rest. */
import type { Decision } from "./context.ts";

type Step = Decision["rungs"][number];

export function nextRung(d: Decision, after?: Step): Step | undefined {
  if (d.signal.aborted) return undefined;
  return after ? d.rungs[d.rungs.indexOf(after) + 1] : d.rungs[0];
}
