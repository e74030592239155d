/**
 * Output guards: the detectors of `screen` on what a rung brought → let pass, redact, or take the next rung.
 * A rung whose guards redact or block is committed `complete`, so a whole answer is seen here; a live stream passes
 * with the guards that only observe. It never judges quality (judge) and never calls out.
 */
export { createCheck } from "./check.ts";
