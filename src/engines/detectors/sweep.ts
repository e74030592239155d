/** The one pass over a whole text: a table lookup per character, and cues to the detectors where something may start. */
import type { Audience } from "./audience.ts";
import { assigns, at, classes, digit, disguise, isToken } from "./character-classes.ts";
import { partsNumber } from "./disguise.ts";
import { chainAt, isTrifle } from "./number-chain.ts";
import type { Detector, Finding, NumberChain, Source } from "./port.ts";

export const shortestToken = 16;

/** Asks each detector about one group, unless a number that it found takes the group in; `used` holds where those end. */
export function askAboutGroup(
  text: Source,
  chain: NumberChain,
  group: number,
  listeners: readonly Detector[],
  used: number[],
  found: Finding[],
): void {
  for (let i = 0; i < listeners.length; i++) {
    if (chain.starts[group]! < used[i]!) continue;
    const end = listeners[i]!.onNumber!(text, chain, group, found);
    if (end > 0) used[i] = end;
  }
}

/** Calls `onToken` for every run of token characters that is long enough: each covers a multiple of the shortest length. */
function sweepTokens(text: Source, codes: Uint16Array, listeners: readonly Detector[], found: Finding[]): void {
  const length = text.length;
  for (let probe = shortestToken - 1; probe < length; probe += shortestToken) {
    if (isToken[codes[probe]!] === 0) continue;
    let start = probe;
    while (start > 0 && probe - start < shortestToken && isToken[codes[start - 1]!] === 1) start--;
    // A longer way back means that the probe before this one has seen the run.
    if (probe - start >= shortestToken) continue;
    let end = probe + 1;
    while (end < length && isToken[codes[end]!] === 1) end++;
    if (end - start >= shortestToken) for (const detector of listeners) detector.onToken!(text, start, end, found);
  }
}

/** The next character that is not ordinary. Kept this small because nearly all of a scan's time is spent here. */
function nextCue(codes: Uint16Array, from: number, length: number): number {
  let i = from;
  while (i < length && classes[codes[i]!] === 0) i++;
  return i;
}

/** Hands the chain at `start` to the detectors; returns where the next one may start. */
function sweepNumber(
  text: Source,
  start: number,
  listeners: readonly Detector[],
  used: number[],
  found: Finding[],
): number {
  const chain = chainAt(text, start);
  // Later groups of a cut chain need to see what follows it.
  const groups = chain.isWhole ? chain.starts.length : 1;
  for (let group = 0; group < groups; group++) askAboutGroup(text, chain, group, listeners, used, found);
  return chain.ends[groups - 1]!;
}

/**
 * Appends to `found`. `codes` holds the code units of `text`. Returns false, with `found` incomplete, where the text is
 * disguised and must be unmasked first.
 */
export function sweep(
  text: Source,
  codes: Uint16Array,
  audience: Audience,
  found: Finding[],
  isUnmasked: boolean,
): boolean {
  const length = text.length;
  const used = audience.number.map(() => 0);
  let chainEnd = 0;
  for (let i = nextCue(codes, 0, length); i < length; i = nextCue(codes, i + 1, length)) {
    const kind = classes[codes[i]!];
    if (kind === digit) {
      if (i < chainEnd || (i > 0 && classes[codes[i - 1]!] === digit) || isTrifle(text, i)) continue;
      if (used.length > 0) chainEnd = sweepNumber(text, i, audience.number, used, found);
    } else if (kind === at) for (const detector of audience.at) detector.onAt!(text, i, found);
    else if (kind === assigns) for (const detector of audience.assignment) detector.onAssignment!(text, i, found);
    else if (!isUnmasked && (kind === disguise || partsNumber(text, i))) return false;
  }
  if (audience.token.length > 0) sweepTokens(text, codes, audience.token, found);
  for (const detector of audience.landmark) {
    const mark = detector.landmark!;
    for (let place = text.indexOf(mark, 0); place >= 0;)
      place = text.indexOf(mark, detector.onLandmark!(text, place, found));
  }
  return true;
}
