/** Turns what the detectors claim into findings that don't overlap. */
import { type Finding, type Source, detectorOrder } from "./port.ts";

/** Of claims to the same characters the detectors' order decides, never the order in which they came. */
const isBefore = (a: Finding, b: Finding): number =>
  a.start - b.start ||
  b.end - a.end ||
  detectorOrder.indexOf(a.detector) - detectorOrder.indexOf(b.detector) ||
  (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0);

/** Certain before likely, long before short, early before late; the sort is stable, so the order of `isBefore` decides last. */
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
  for (const finding of dropContained(cluster).sort(rank)) accept(text, accepted, finding);
  return accepted;
}

/** Claims that overlap in a row longer than this are settled in parts, so that no text can put off a decision. */
export const widestCluster = 256;

/** Settles claims from left to right, as far as they are known: a whole text and one that still arrives end the same. */
export class Resolver {
  #waiting: Finding[] = [];
  /** Up to here everything is settled: a claim that reaches back further keeps what lies behind. */
  #settledTo = 0;

  add(claims: readonly Finding[]): void {
    if (claims.length > 0) this.#waiting = [...this.#waiting, ...claims].sort(isBefore);
  }

  /** Where what isn't settled begins, given that no claim to come starts before `known`. */
  openFrom(known: number): number {
    return Math.max(this.#settledTo, Math.min(known, this.#waiting[0]?.start ?? known));
  }

  /** The findings that no claim from `known` on can change, sorted by start, without overlaps. */
  settle(text: Source, known: number): Finding[] {
    const settled: Finding[] = [];
    const waiting = this.#waiting;
    let first = 0;
    while (first < waiting.length) {
      const { start } = waiting[first]!;
      let { end: reach } = waiting[first]!;
      let next = first + 1;
      for (; next < waiting.length; next++) {
        const claim = waiting[next]!;
        if (claim.start >= reach || claim.start - start >= widestCluster) break;
        reach = Math.max(reach, claim.end);
      }
      if (known < reach && known < start + widestCluster) break;
      // Nearly every claim stands alone.
      if (next === first + 1 && start >= this.#settledTo) settled.push(waiting[first]!);
      else settled.push(...settleCluster(text, this.#unsettledParts(text, waiting.slice(first, next))));
      this.#settledTo = Math.max(this.#settledTo, settled.at(-1)?.end ?? 0);
      first = next;
    }
    if (first > 0) this.#waiting = waiting.slice(first);
    return settled;
  }

  #unsettledParts(text: Source, cluster: readonly Finding[]): Finding[] {
    const from = this.#settledTo;
    if (cluster[0]!.start >= from) return [...cluster];
    const parts = cluster.map((claim) =>
      claim.start >= from ? claim : claim.end > from ? remainder(text, claim, from, claim.end) : undefined,
    );
    return parts.filter((part) => part !== undefined).sort(isBefore);
  }
}

/** Sorted by start, without overlaps. */
export function resolve(text: Source, claims: readonly Finding[]): Finding[] {
  if (claims.length < 2) return [...claims];
  const resolver = new Resolver();
  resolver.add(claims);
  return resolver.settle(text, Number.POSITIVE_INFINITY);
}
