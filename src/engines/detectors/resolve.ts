/** Turns what the detectors claim into findings that don't overlap. */
import type { Finding, Source } from "./port.ts";

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

const shortestRemainder = 4;

/** The part of a claim that no stronger one covers, without separators at its ends. */
function remainder(text: Source, claim: Finding, start: number, end: number): Finding | undefined {
  const part = text.slice(start, end);
  const bare = part.replace(/^[\s./-]+/, "");
  const from = end - bare.length;
  const to = from + bare.replace(/[\s./(-]{1,8}$/, "").length;
  return to - from < shortestRemainder ? undefined : { ...claim, start: from, end: to, confidence: "pattern" };
}

/** Adds `claim`, or what the accepted findings leave of it: characters once suspected never stay in clear. */
function accept(text: Source, accepted: Finding[], claim: Finding): void {
  let place = firstEndingAfter(accepted, claim.start);
  let from = claim.start;
  let isWhole = true;
  for (let next = accepted[place]; next !== undefined && next.start < claim.end; next = accepted[++place]) {
    isWhole = false;
    const part = next.start > from ? remainder(text, claim, from, next.start) : undefined;
    if (part !== undefined) accepted.splice(place++, 0, part);
    from = next.end;
  }
  const rest = isWhole ? claim : from < claim.end ? remainder(text, claim, from, claim.end) : undefined;
  if (rest !== undefined) accepted.splice(place, 0, rest);
}

function settleCluster(text: Source, cluster: readonly Finding[]): Finding[] {
  if (cluster.length < 2) return [...cluster];
  const accepted: Finding[] = [];
  for (const finding of [...cluster].sort(rank)) accept(text, accepted, finding);
  return accepted;
}

/** Sorted by start, without overlaps. */
export function resolve(text: Source, claims: readonly Finding[]): Finding[] {
  if (claims.length < 2) return [...claims];
  const sorted = dropContained([...claims].sort(isBefore));
  const settled: Finding[] = [];
  let cluster: Finding[] = [];
  let reach = -1;
  for (const finding of sorted) {
    if (finding.start >= reach) {
      settled.push(...settleCluster(text, cluster));
      cluster = [];
    }
    cluster.push(finding);
    reach = Math.max(reach, finding.end);
  }
  return settled.concat(settleCluster(text, cluster));
}
