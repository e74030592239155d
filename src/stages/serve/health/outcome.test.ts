import { expect, it } from "vitest";
import type { AttemptStatus } from "../../../kernel/decision.ts";
import { outcomeOf } from "./outcome.ts";
import type { CallOutcome } from "./port.ts";

const rows: [AttemptStatus, string | undefined, CallOutcome][] = [
  ["ok", undefined, "ok"],
  ["timeout", "idle_timeout", "failed"],
  ["failed", "http_500", "failed"],
  ["failed", "http_503:overloaded", "failed"],
  ["failed", "http_404", "failed"],
  ["failed", "http_429:rate_limit", "overloaded"],
  ["failed", "http_529:overloaded_error", "overloaded"],
  ["failed", "http_401", "neutral"],
  ["failed", "http_403:forbidden", "neutral"],
  ["failed", "reset", "failed"],
  ["failed", "truncated", "failed"],
  ["failed", "unreadable_answer", "failed"],
  ["failed", "fault", "neutral"],
  ["rejected", "http_400", "neutral"],
  ["aborted", "client_gone", "neutral"],
  ["unaffordable", "budget", "neutral"],
];
it.each(rows)("%s %s: %s", (status, reason, outcome) => {
  expect(outcomeOf({ status, ...(reason !== undefined && { reason }) }, { tookMs: 10, deadlineMs: 100 })).toBe(outcome);
});

it("a deadline that a target sat out counts against it, one that it hardly saw does not", () => {
  const aborted = { status: "aborted", reason: "deadline_exceeded" } as const;
  expect(outcomeOf(aborted, { tookMs: 50, deadlineMs: 100 })).toBe("failed");
  expect(outcomeOf(aborted, { tookMs: 49, deadlineMs: 100 })).toBe("neutral");
});
