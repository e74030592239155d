/**
 * Decides which models of the ladder are open to this decision and in which order, and says why for each: policy,
 * capability, condition, health, what a pool compared, whether a cascade pays, what an operator overrode. Assigns the
 * arm (the champion, until releases exist). It never calls a target and never opens what policy has closed.
 */
export { CascadeBook } from "./cascades.ts";
export { MemoryOverrides, OverrideAdmin, OverrideBook, type PendingOverride } from "./overrides.ts";
export { createRoute } from "./route.ts";
