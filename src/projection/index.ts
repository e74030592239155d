/**
 * The projection decides how journal entries become rows that can be searched: the fold, the filters, the minute rollups
 * and the percentiles. It is idempotent by (node, sequence), so that any store of it can be thrown away and made again.
 * It never sees content, never writes the journal, and is never asked on the path of a request.
 */
export * from "./port.ts";
export { foldEntry, type MinuteDelta, minuteOf, type SettledRow, supersedes } from "./fold.ts";
export { encodePageCursor, parseArrivalCursor, parsePageCursor } from "./cursor.ts";
export { buildOverview, type OverviewStep, windowOf } from "./overview.ts";
export { buildCosts, costWindowOf, type CostStep, type HourDelta, hourOf, type Meters, spendNames } from "./spend.ts";
export { MemoryIndex } from "./memory-index.ts";
