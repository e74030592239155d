/** Turns what the detectors claim into findings that don't overlap. */
import type { Finding } from "./port.ts";

const isBefore = (a: Finding, b: Finding): number => a.start - b.start || b.end - a.end;

/** Certain before likely, long before short, early before late; the sort is stable, so the detectors' order decides last. */
const rank = (a: Finding, b: Finding): number =>
  Number(b.confidence === "checked") - Number(a.confidence === "checked") ||
  b.end - b.start - (a.end - a.start) ||
  a.start - b.start;

/** What lies strictly inside another finding goes: covering more is never wrong (a card number inside a private key). */
function dropContained(sorted: readonly Finding[]): Finding[] {
  const kept: Finding[] = [];
  let widest: Finding | undefined;
  for (const finding of sorted) {
    const isInside = widest !== undefined && finding.end <= widest.end;
    if (isInside && (finding.start !== widest!.start || finding.end !== widest!.end)) continue;
    kept.push(finding);
    if (widest === undefined || finding.end > widest.end) widest = finding;
  }
  return kept;
}

/** Index of the first accepted finding that ends after `start`; `accepted` is sorted and free of overlaps. */
function firstEndingAfter(accepted: readonly Finding[], start: number): number {
  let low = 0;
  let high = accepted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (accepted[middle]!.end > start) high = middle;
    else low = middle + 1;
  }
  return low;
}

function settleCluster(cluster: readonly Finding[]): Finding[] {
  if (cluster.length < 2) return [...cluster];
  const accepted: Finding[] = [];
  for (const finding of [...cluster].sort(rank)) {
    const place = firstEndingAfter(accepted, finding.start);
    const next = accepted[place];
    if (next === undefined || next.start >= finding.end) accepted.splice(place, 0, finding);
  }
  return accepted;
}

/** Sorted by start, without overlaps. */
export function resolve(claims: readonly Finding[]): Finding[] {
  if (claims.length < 2) return [...claims];
  const sorted = dropContained([...claims].sort(isBefore));
  const settled: Finding[] = [];
  let cluster: Finding[] = [];
  let reach = -1;
  for (const finding of sorted) {
    if (finding.start >= reach) {
      settled.push(...settleCluster(cluster));
      cluster = [];
    }
    cluster.push(finding);
    reach = Math.max(reach, finding.end);
  }
  return settled.concat(settleCluster(cluster));
}
