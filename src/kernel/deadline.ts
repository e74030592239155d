import type { Clock } from "./clock.ts";
import { Cancellation, type Signal } from "./signal.ts";

/** A signal that aborts with `client`'s reason, or with `late()` after `afterMs`. `cancel` frees the timer. */
export function withDeadline(
  clock: Clock,
  client: Signal,
  afterMs: number,
  late: () => unknown,
): { signal: Signal; abort: (reason: unknown) => void; cancel: () => void } {
  const cancellation = new Cancellation();
  const onGone = () => cancellation.abort(client.reason);
  if (client.aborted) onGone();
  else client.addEventListener("abort", onGone, { once: true });
  const stop = clock.after(afterMs, () => cancellation.abort(late()));
  return {
    signal: cancellation,
    abort: (reason) => cancellation.abort(reason),
    cancel() {
      stop();
      client.removeEventListener("abort", onGone);
    },
  };
}
