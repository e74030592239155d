/** What is said to a call that will not start. */
import { type Refusal, refuse } from "../../../kernel/errors.ts";

export interface Shed {
  /** `too_late`: it could not have ended by its deadline. `full`: too many wait. `gone`: its client went, or time was up. */
  shed: "too_late" | "full" | "gone";
  /** Until the backlog that stood in the way is worked off. */
  retryAfterMs: number;
}

export const refuseShed = (target: string, { shed, retryAfterMs }: Shed): Refusal =>
  refuse(
    "overloaded",
    shed === "full"
      ? `Too many requests wait for ${target}.`
      : `The requests before this one would keep ${target} busy beyond its deadline.`,
    { retryAfterMs },
  );
