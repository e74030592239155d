import type { Refusal } from "../../kernel/errors.ts";
import type { Decision } from "../../path/context.ts";

/** Asks the live overlay twice a second while a stream runs; what was revoked meanwhile ends it. Returns the stop. */
export function watchLive(d: Decision, refusal: () => Refusal | undefined, everyMs = 500): () => void {
  let stop: () => void;
  const look = () => {
    const no = refusal();
    if (no) d.abort(no);
    else stop = d.clock.after(everyMs, look);
  };
  stop = d.clock.after(everyMs, look);
  return () => stop();
}
