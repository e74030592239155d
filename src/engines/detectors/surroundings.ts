/** What stands around a candidate: word boundaries, parts of longer numbers, words that give it its meaning. */
import type { NumberChain, Source } from "./port.ts";

/** How far back a context word may stand. */
const contextChars = 64;

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
export const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;
/** ASCII letters, digits and `_`: a candidate never starts or ends inside a word of these. */
export const isWord = (code: number): boolean => isDigit(code) || isLetter(code) || code === 95;
export const isSpace = (code: number): boolean => code === 32 || code === 9;

const dot = 46;
const dash = 45;
const joins = (code: number, joiners: string): boolean => joiners.includes(String.fromCharCode(code));

/** False where a longer word, number, date, UUID or decimal reaches over `start`. */
export function opens(text: Source, start: number, joiners = ".,-/:"): boolean {
  if (start === 0) return true;
  const before = text.charCodeAt(start - 1);
  if (isWord(before)) return false;
  if (start === 1 || !joins(before, joiners)) return true;
  if (isDigit(text.charCodeAt(start - 2))) return false;
  if (before !== dash && before !== dot) return true;
  // `a716-4466…`: a joined word with a digit in it is a UUID or a part number, not a label.
  for (let i = start - 2; i >= 0 && i > start - 14 && isWord(text.charCodeAt(i)); i--) {
    if (isDigit(text.charCodeAt(i))) return false;
  }
  return true;
}

/** False where a longer word, number, date or decimal goes on after `end`. */
export function closes(text: Source, end: number, joiners = ".,-/:"): boolean {
  const after = text.charCodeAt(end);
  if (isWord(after)) return false;
  return !(
    joins(after, joiners) &&
    (isDigit(text.charCodeAt(end + 1)) || (after === dash && isWord(text.charCodeAt(end + 1))))
  );
}

/**
 * Words that count as context. Never a word right after `[`: those are the placeholders of `redact`, and what stands
 * beside a redacted number must not become suspicious by the redaction.
 */
export const contextWords = (alternatives: string): RegExp =>
  new RegExp(`(?<![a-z0-9\u00e0-\u00ff[])(?:${alternatives})(?![a-z\u00e0-\u00ff])`, "i");

const placeholder = /\[(?:card|iban|email|phone|national-id|secret|card-security-code)\]/g;

/**
 * The text from `from` to `start`, less all up to the last placeholder of `redact`: a placeholder is shorter than what it
 * replaced and must not bring a word within reach of the next number.
 */
export function contextBefore(text: Source, from: number, start: number): string {
  const context = text.slice(Math.max(0, from), start);
  if (!context.includes("]")) return context;
  return context.slice([...context.matchAll(placeholder)].reduce((_, match) => match.index + match[0].length, 0));
}

export function precededBy(text: Source, start: number, words: RegExp, reach = contextChars): boolean {
  return words.test(contextBefore(text, start - reach, start));
}

export const groupLength = (chain: NumberChain, group: number): number => chain.ends[group]! - chain.starts[group]!;
export const groupDigits = (text: Source, chain: NumberChain, group: number): string =>
  text.slice(chain.starts[group]!, chain.ends[group]!);
