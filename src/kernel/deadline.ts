import type { Clock } from "./clock.ts";

/** A signal that aborts with `client`'s reason, or with `late()` after `afterMs`. `cancel` frees the timer. */
export function withDeadline(
  clock: Clock,
  client: AbortSignal,
  afterMs: number,
  late: () => unknown,
): { signal: AbortSignal; abort: (reason: unknown) => void; cancel: () => void } {
  const controller = new AbortController();
  const onGone = () => controller.abort(client.reason);
  if (client.aborted) onGone();
  else client.addEventListener("abort", onGone, { once: true });
  const stop = clock.after(afterMs, () => controller.abort(late()));
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    cancel() {
      stop();
      client.removeEventListener("abort", onGone);
    },
  };
}
