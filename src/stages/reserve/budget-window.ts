/** The windows of budgets, in UTC: hour, day, week (from Monday), month. */
import type { BudgetWindow } from "../../kernel/snapshot.ts";

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** First instant of the window that `atMs` lies in, epoch milliseconds. */
export function windowStartMs(per: BudgetWindow, atMs: number): number {
  if (per === "hour") return atMs - (atMs % hourMs);
  const day = atMs - (atMs % dayMs);
  if (per === "day") return day;
  // 1970-01-01 was a Thursday, the fourth day of its week.
  if (per === "week") return day - ((day / dayMs + 3) % 7) * dayMs;
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** First instant of the next window. */
export function windowEndMs(per: BudgetWindow, atMs: number): number {
  const start = windowStartMs(per, atMs);
  if (per === "hour") return start + hourMs;
  if (per === "day") return start + dayMs;
  if (per === "week") return start + 7 * dayMs;
  const date = new Date(start);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
