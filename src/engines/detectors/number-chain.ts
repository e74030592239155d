/** Groups of digits that may be one number: where they start, how they hang together, and what is too small to look at. */
import type { NumberChain, Source } from "./port.ts";
import { isDigit, isLetter } from "./surroundings.ts";

const longestGap = 3;
/** Longer than any number: 19 digits, each in a group of its own, take 73 characters. */
const widestNumber = 80;
/** Longer than any number's digits; a group is cut there. */
const longestGroup = 32;
/** What `chainAt` reads at most. */
export const longestChain: number = widestNumber + longestGroup + longestGap + 1;
/** The most that a finding takes in before the digit group that it was found by: six letters, or `+` and a bracket. */
export const longestLead = 6;

const isGap = (code: number): boolean =>
  code === 32 || code === 9 || code === 45 || code === 46 || code === 47 || code === 40 || code === 41;

/** The chain of digit groups that starts at `start`. */
export function chainAt(text: Source, start: number): NumberChain {
  const starts: number[] = [];
  const ends: number[] = [];
  const gaps: string[] = [];
  let digits = 0;
  let gap = "";
  for (let index = start; ;) {
    starts.push(index);
    gaps.push(gap);
    const first = index;
    while (index - first < longestGroup && isDigit(text.charCodeAt(index))) index++;
    ends.push(index);
    digits += index - first;
    if (index - first === longestGroup) return { starts, ends, gaps, digits, isWhole: false };
    let next = index;
    while (next - index < longestGap && isGap(text.charCodeAt(next))) next++;
    if (next === index || !isDigit(text.charCodeAt(next))) return { starts, ends, gaps, digits, isWhole: true };
    if (next - start > widestNumber) return { starts, ends, gaps, digits, isWhole: false };
    gap = text.slice(index, next);
    index = next;
  }
}

/** `7 to 5`, `12 years`: one or two digits that neither go on after a gap nor follow a letter, as an IBAN's do. */
export function isTrifle(text: Source, start: number): boolean {
  const end = isDigit(text.charCodeAt(start + 1)) ? start + 2 : start + 1;
  const after = text.charCodeAt(end);
  if (isDigit(after) || isLetter(text.charCodeAt(start - 1))) return false;
  if (!isGap(after)) return true;
  const beyond = text.charCodeAt(end + 1);
  return !isDigit(beyond) && !isGap(beyond);
}
