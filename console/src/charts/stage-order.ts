import type { StageName } from "../api/types.ts";

/** The path's order. The record names its stages only, in no order that JSON would keep. */
export const stageOrder: readonly StageName[] = [
  "identify",
  "admit",
  "reserve",
  "screen",
  "route",
  "recall",
  "ground",
  "serve",
  "check",
  "judge",
  "settle",
];
