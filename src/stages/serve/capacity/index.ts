/**
 * Decides when a call may start at a target: as many at once as the target serves without queueing, learned from first
 * tokens and per-token times; those that wait go by class, fairly between tenants, and are turned away at once where
 * they can't be in time. It never chooses targets and never touches money or limits.
 */
export { Capacity, type Pass, type PassEnd } from "./capacity.ts";
export { refuseShed } from "./shed.ts";
