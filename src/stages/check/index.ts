/**
 * Output guards: the detectors of `screen` on what a rung brought, whole or as it streams → let pass, redact, take the
 * next rung, or end the stream before any of a finding has left. Of a stream each text is held back by no more than its
 * detectors state; guards that only record let the vendor's bytes pass untouched. It never judges quality (judge) and
 * never calls out.
 */
export { createCheck } from "./check.ts";
