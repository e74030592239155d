/** The one pass over the text: a table lookup per character, and cues to the detectors where something may start. */
import { assigns, at, classes, digit, disguise, isToken } from "./character-classes.ts";
import { partsNumber } from "./disguise.ts";
import type { Detector, Finding, NumberChain, Source } from "./port.ts";
import { isDigit, isLetter } from "./surroundings.ts";

const shortestToken = 16;
const longestGap = 3;

const isGap = (code: number): boolean =>
  code === 32 || code === 9 || code === 45 || code === 46 || code === 47 || code === 40 || code === 41;

/** The chain of digit groups that starts at `start`; its end is the end of its last group. */
function chainAt(text: Source, start: number): NumberChain {
  const starts: number[] = [];
  const ends: number[] = [];
  const gaps: string[] = [];
  let digits = 0;
  let gap = "";
  for (let index = start; ;) {
    starts.push(index);
    gaps.push(gap);
    const first = index;
    while (isDigit(text.charCodeAt(index))) index++;
    ends.push(index);
    digits += index - first;
    let next = index;
    while (next - index < longestGap && isGap(text.charCodeAt(next))) next++;
    if (next === index || !isDigit(text.charCodeAt(next))) return { starts, ends, gaps, digits };
    gap = text.slice(index, next);
    index = next;
  }
}

/** `7 to 5`, `12 years`: one or two digits that neither go on after a gap nor follow a letter, as an IBAN's do. */
function isTrifle(text: Source, start: number): boolean {
  const end = isDigit(text.charCodeAt(start + 1)) ? start + 2 : start + 1;
  const after = text.charCodeAt(end);
  if (isDigit(after) || isLetter(text.charCodeAt(start - 1))) return false;
  if (!isGap(after)) return true;
  const beyond = text.charCodeAt(end + 1);
  return !isDigit(beyond) && !isGap(beyond);
}

/** Detectors by the cue that they wait for. */
interface Audience {
  number: readonly Detector[];
  at: readonly Detector[];
  token: readonly Detector[];
  assignment: readonly Detector[];
}

function audienceOf(detectors: readonly Detector[]): Audience {
  return {
    number: detectors.filter((detector) => detector.onNumber !== undefined),
    at: detectors.filter((detector) => detector.onAt !== undefined),
    token: detectors.filter((detector) => detector.onToken !== undefined),
    assignment: detectors.filter((detector) => detector.onAssignment !== undefined),
  };
}

/** Calls `onToken` for every run of token characters that is long enough: each covers a multiple of the shortest length. */
function sweepTokens(text: Source, codes: Uint16Array, audience: Audience, found: Finding[]): void {
  const length = text.length;
  for (let probe = shortestToken - 1; probe < length; probe += shortestToken) {
    if (isToken[codes[probe]!] === 0) continue;
    let start = probe;
    while (start > 0 && probe - start < shortestToken && isToken[codes[start - 1]!] === 1) start--;
    // A longer way back means that the probe before this one has seen the run.
    if (probe - start >= shortestToken) continue;
    let end = probe + 1;
    while (end < length && isToken[codes[end]!] === 1) end++;
    if (end - start >= shortestToken) for (const detector of audience.token) detector.onToken!(text, start, end, found);
  }
}

/** The next character that is not ordinary. Kept this small because nearly all of a scan's time is spent here. */
function nextCue(codes: Uint16Array, from: number, length: number): number {
  let i = from;
  while (i < length && classes[codes[i]!] === 0) i++;
  return i;
}

/**
 * Appends to `found`. `codes` holds the code units of `text`. Returns false, with `found` incomplete, where the text is
 * disguised and must be unmasked first.
 */
export function sweep(
  text: Source,
  codes: Uint16Array,
  detectors: readonly Detector[],
  found: Finding[],
  isUnmasked: boolean,
): boolean {
  const audience = audienceOf(detectors);
  const length = text.length;
  let chainEnd = 0;
  for (let i = nextCue(codes, 0, length); i < length; i = nextCue(codes, i + 1, length)) {
    const kind = classes[codes[i]!];
    if (kind === digit) {
      if (i < chainEnd || (i > 0 && classes[codes[i - 1]!] === digit) || isTrifle(text, i)) continue;
      const chain = chainAt(text, i);
      chainEnd = chain.ends[chain.ends.length - 1]!;
      for (const detector of audience.number) detector.onNumber!(text, chain, found);
    } else if (kind === at) for (const detector of audience.at) detector.onAt!(text, i, found);
    else if (kind === assigns) for (const detector of audience.assignment) detector.onAssignment!(text, i, found);
    else if (!isUnmasked && (kind === disguise || partsNumber(text, i))) return false;
  }
  if (audience.token.length > 0) sweepTokens(text, codes, audience, found);
  for (const detector of detectors) detector.onText?.(text, found);
  return true;
}
