import type { AttemptStatus } from "../../../kernel/decision.ts";
import type { CallOutcome } from "./port.ts";

// Whose doing it was by status: these say something about the caller, the key or the request, never about the target.
const callersStatus = /^http_(400|401|402|403|405|406|409|410|411|412|413|414|415|416|417|421|422|423|424|425|431)\b/;

/**
 * What an attempt's end says about its target. A caller's abort says nothing, but a deadline that ran out while the
 * target had had at least half of the time does: a target that hangs is found out however short deadlines are.
 */
export function outcomeOf(
  attempt: { status: AttemptStatus; reason?: string },
  time: { tookMs: number; deadlineMs: number },
): CallOutcome {
  const { status, reason = "" } = attempt;
  switch (status) {
    case "ok":
      return "ok";
    case "timeout":
      return "failed";
    case "aborted":
      return reason === "deadline_exceeded" && time.tookMs * 2 >= time.deadlineMs ? "failed" : "neutral";
    case "failed":
      if (/^http_(429|529)\b/.test(reason)) return "overloaded";
      return reason === "fault" || callersStatus.test(reason) ? "neutral" : "failed";
    default:
      return "neutral";
  }
}
