/** Instants, always with their zone. */
const two = (value: number): string => String(value).padStart(2, "0");

/** "UTC", "UTC+2", "UTC−3:30" for the zone of the reader at that instant. */
export function zoneOf(atMs: number): string {
  const offset = -new Date(atMs).getTimezoneOffset();
  if (offset === 0) return "UTC";
  const minutes = Math.abs(offset) % 60;
  return `UTC${offset > 0 ? "+" : "−"}${Math.floor(Math.abs(offset) / 60)}${minutes === 0 ? "" : `:${two(minutes)}`}`;
}

const clockOf = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

export const formatClock = (atMs: number): string => clockOf(new Date(atMs));

export function formatClockMs(atMs: number): string {
  const at = new Date(atMs);
  return `${clockOf(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** "2026-11-22 14:03:22.123 UTC" */
export const formatInstant = (atMs: number): string =>
  `${dayOf(new Date(atMs))} ${formatClockMs(atMs)} ${zoneOf(atMs)}`;

/** Axis ticks: the clock within a day, the day otherwise. */
export function formatTick(atMs: number, spanMs: number): string {
  const at = new Date(atMs);
  if (spanMs > 48 * 3_600_000) return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return spanMs > 20 * 60_000 || at.getSeconds() === 0 ? `${two(at.getHours())}:${two(at.getMinutes())}` : clockOf(at);
}
