/** How counts, rates, shares and durations are written. */
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export const formatCount = (count: number): string => grouped.format(count);
export const formatCompact = (count: number): string =>
  Math.abs(count) < 10_000 ? grouped.format(count) : compact.format(count);

/** Milliseconds with three significant figures and the unit that reads best. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  if (ms === 0) return "0 ms";
  if (ms < 0.995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 9.995) return `${ms.toFixed(2)} ms`;
  if (ms < 99.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function formatRate(perSecond: number): string {
  if (perSecond === 0) return "0";
  if (perSecond < 0.01) return "<0.01";
  return perSecond < 10 ? perSecond.toFixed(2) : perSecond < 100 ? perSecond.toFixed(1) : grouped.format(perSecond);
}

/** A share as per cent; never rounds something to "0 %" or "100 %" that is neither. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "–";
  if (part === 0) return "0%";
  const percent = (part / whole) * 100;
  if (percent < 0.01) return "<0.01%";
  if (part < whole && percent > 99.95) return ">99.9%";
  return percent < 1 ? `${percent.toFixed(2)}%` : percent < 99.95 ? `${percent.toFixed(1)}%` : "100%";
}

/** Scores and probabilities keep the digits that thresholds are written in. */
export const formatScore = (score: number): string => score.toFixed(4);
