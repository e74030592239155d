/** The vocabulary of the detectors: what they find and what they are shown. */

/** In the order that decides where two detectors are equally sure of the same characters. */
export const detectorOrder = ["card", "iban", "national-id", "card-security-code", "secret", "email", "phone"] as const;
export type DetectorName = (typeof detectorOrder)[number];

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
 * never empty. A chain is cut where it grows longer than any number that people write: see `isWhole`.
 */
export interface NumberChain {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly gaps: readonly string[];
  /** Digits in all groups together. */
  readonly digits: number;
  /** False where more groups, or more digits of the last one, follow. */
  readonly isWhole: boolean;
}

/**
 * A detector waits for cues from the one sweep over the text and appends what it is sure of to `found`, in any order and
 * possibly overlapping. Each handler reads a bounded window around its cue, so a scan is linear in the text. Handlers
 * never throw on any text.
 */
export interface Detector {
  readonly name: DetectorName;
  /**
   * The most UTF-16 code units, without disguises, from where a finding may start to the last one that decides about it:
   * what a scan of a text that is still arriving must hold back. Held by a property test.
   */
  readonly holdBack: number;
  /**
   * Once for every group of a number that a finding may start with. Returns the end of the group up to which this number
   * is used up: the detector isn't asked about groups before it; 0 where it isn't.
   */
  onNumber?(text: Source, chain: NumberChain, group: number, found: Finding[]): number;
  /** `at` is the offset of an `@`. */
  onAt?(text: Source, at: number, found: Finding[]): void;
  /** A maximal run of 16 or more letters, digits, `_` and `-`. */
  onToken?(text: Source, start: number, end: number, found: Finding[]): void;
  /** `at` is the offset of a `:` or `=`. */
  onAssignment?(text: Source, at: number, found: Finding[]): void;
  /** A literal that is looked for, and what is done where it begins: returns from where it is looked for next. */
  readonly landmark?: string;
  onLandmark?(text: Source, at: number, found: Finding[]): number;
}
