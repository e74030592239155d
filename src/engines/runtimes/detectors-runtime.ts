/** The house's own detectors as a model that moderates: counts of what they find, never the texts. */
import type { Clock } from "../../kernel/clock.ts";
import type { ModerateModel, Runtime } from "./port.ts";

export interface DetectorsOptions {
  clock: Pick<Clock, "sleep">;
  /** Every detector there is. */
  names: readonly string[];
  scan(text: string, wanted: ReadonlySet<string>): readonly { detector: string }[];
}

// A scan costs up to 1 ms per KB of hostile text: after so many characters others get their turn.
const charactersInOneTurn = 64 * 1024;

export function createDetectorsRuntime({ clock, names, scan }: DetectorsOptions): Runtime {
  const sets = new WeakMap<readonly string[], ReadonlySet<string>>();
  const setOf = (wanted: readonly string[]) => {
    let known = sets.get(wanted);
    if (!known) sets.set(wanted, (known = new Set(wanted)));
    return known;
  };
  const model: ModerateModel = {
    kind: "moderate",
    async judge(texts, wanted = names, signal) {
      const found: Record<string, number>[] = [];
      let characters = 0;
      for (const text of texts) {
        if (signal?.aborted) throw signal.reason;
        const counts: Record<string, number> = Object.fromEntries(wanted.map((name) => [name, 0]));
        for (const { detector } of scan(text, setOf(wanted))) counts[detector] = (counts[detector] ?? 0) + 1;
        found.push(counts);
        characters += text.length;
        if (characters < charactersInOneTurn) continue;
        characters = 0;
        await clock.sleep(0, signal);
      }
      return found;
    },
    async close() {},
  };
  return { name: "detectors", load: async () => model };
}
