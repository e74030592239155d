/**
 * Burn rate: how many times faster than allowed the error budget of an objective is spent. Two windows each, so that an
 * alert neither comes for a blip nor stays long after the trouble ended (Google, The Site Reliability Workbook, ch. 5).
 */
import type { Objective } from "../port.ts";
import type { DecisionCounts } from "./decision-windows.ts";
import type { Firing } from "./alert-book.ts";

const minuteMs = 60_000;
const windows = [
  { burn: 14.4, longMs: 60 * minuteMs, shortMs: 5 * minuteMs, shown: "1h and 5m", severity: "critical" },
  { burn: 6, longMs: 360 * minuteMs, shortMs: 30 * minuteMs, shown: "6h and 30m", severity: "warning" },
] as const;

export function burning(now: number, useCase: string, counts: DecisionCounts, objective: Objective): Firing[] {
  const { availability, latency, ttft, minRequests } = objective;
  const goals = [
    { name: "availability", all: "eligible", bad: "unavailable", target: availability },
    ...(latency ? [{ name: "latency", all: "timed", bad: "slow", target: latency.share } as const] : []),
    ...(ttft ? [{ name: "ttft", all: "streamed", bad: "slow_start", target: ttft.share } as const] : []),
  ] as const;
  return goals.flatMap(({ name, all, bad, target }): Firing[] => {
    const burnOver = (ms: number) => {
      const total = counts.sum(now, all, ms);
      return total < minRequests ? 0 : counts.sum(now, bad, ms) / total / (1 - target);
    };
    // The short window first: where all is well, the long one is never summed.
    const found = windows.find(({ burn, longMs, shortMs }) => burnOver(shortMs) >= burn && burnOver(longMs) >= burn);
    if (!found) return [];
    const value = burnOver(found.longMs);
    return [
      {
        rule: "slo_burn",
        severity: found.severity,
        labels: { use_case: useCase, objective: name },
        summary: `${useCase} spends its ${name} budget ${value.toFixed(1)} times too fast (over ${found.shown}).`,
        value,
        threshold: found.burn,
      },
    ];
  });
}
