/** The vocabulary of the detectors: what they find and what they are shown. */

export type DetectorName = "card" | "iban" | "email" | "phone" | "national-id" | "secret" | "card-security-code";

export interface Finding {
  detector: DetectorName;
  /** UTF-16 offsets into the text as given, end exclusive. */
  start: number;
  end: number;
  /** Finer than the detector: "visa", "us-ssn", "de-steuer-id", "aws-access-key". */
  kind: string;
  /** `checked`: a check digit or checksum held. `pattern`: form and context only. */
  confidence: "checked" | "pattern";
}

/** The part of `string` that detectors may use, so that tests can count every character they look at. */
export interface Source {
  readonly length: number;
  /** NaN outside the text, like `String.prototype.charCodeAt`. */
  charCodeAt(index: number): number;
  slice(start: number, end: number): string;
  indexOf(needle: string, from: number): number;
}

/**
 * Groups of digits with at most three separator characters (space, tab, `-`, `.`, `/`, parentheses) between them.
 * Group `i` covers `starts[i]` to `ends[i]` and follows `gaps[i]` (empty for the first); the arrays are equally long and
 * never empty.
 */
export interface NumberChain {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly gaps: readonly string[];
  /** Digits in all groups together. */
  readonly digits: number;
}

/**
 * A detector waits for cues from the one sweep over the text and appends what it is sure of to `found`, in any order and
 * possibly overlapping. Each handler reads a bounded window around its cue, so a scan is linear in the text. Handlers
 * never throw on any text.
 */
export interface Detector {
  readonly name: DetectorName;
  onNumber?(text: Source, chain: NumberChain, found: Finding[]): void;
  /** `at` is the offset of an `@`. */
  onAt?(text: Source, at: number, found: Finding[]): void;
  /** A maximal run of 16 or more letters, digits, `_` and `-`. */
  onToken?(text: Source, start: number, end: number, found: Finding[]): void;
  /** `at` is the offset of a `:` or `=`. */
  onAssignment?(text: Source, at: number, found: Finding[]): void;
  /** Once for the whole text; must itself be linear. */
  onText?(text: Source, found: Finding[]): void;
}
