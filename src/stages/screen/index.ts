/**
 * Input guards: personal data, cards, ids and secrets in what the client sent → let pass (and raise the data class),
 * redact, or block. It never calls out and never weakens a constraint.
 */
export { createScreen } from "./screen.ts";
export {
  type Found,
  type OpenScan,
  type Scanner,
  type TextScan,
  detectedBy,
  failureOf,
  isClean,
  runGuards,
  verdictOf,
} from "./guard.ts";
export { unescaped } from "./unescaped.ts";
