/**
 * `scan` of a text that is still arriving. Whatever the pieces, it finds what `scan` finds in the whole text, and holds
 * back no more than it must: every cue is answered as soon as no detector looked beyond what has arrived.
 */
import { ArrivingText } from "./arriving-text.ts";
import { type Audience, audienceOf, detectors } from "./audience.ts";
import { assigns, at, classes, digit, isToken } from "./character-classes.ts";
import { isLocal, longestLocal } from "./email.ts";
import { chainAt, isTrifle, longestLead } from "./number-chain.ts";
import type { Detector, DetectorName, Finding } from "./port.ts";
import { Resolver, widestCluster } from "./resolve.ts";
import { mayBeToken } from "./secret.ts";
import { askAboutGroup, shortestToken } from "./sweep.ts";

interface Progress {
  /** Offset in the text up to which all is told: no finding to come starts before it. One that was told may reach over it. */
  settled: number;
  /** New findings of each view, sorted by start, without overlaps. */
  found: readonly (readonly Finding[])[];
}

export interface TextScan {
  push(piece: string): Progress;
  /** The text is over. */
  end(): Progress;
}

/** Units that stand for nothing and may hide in what is held back; more of them are an attack. */
const mostHidden = 4096;

/** A cue that nobody could answer yet is asked about again when an eighth more has arrived, so that waiting is linear. */
const retryAt = (cue: number, end: number): number => end + ((end - cue) >> 3);

/** The most units, without disguises, that a scan for these detectors holds back. */
export function holdBackOf(wanted: ReadonlySet<DetectorName>): number {
  const most = Math.max(0, ...detectors.map(({ name, holdBack }) => (wanted.has(name) ? holdBack : 0)));
  return widestCluster + most + (most >> 3) + 1;
}

/**
 * Each view is told what a scan for its detectors alone would find; one pass serves them all. Throws where a text hides
 * more than `mostHidden` invisible characters in what it holds back.
 */
export function openScan(views: readonly ReadonlySet<DetectorName>[]): TextScan {
  return new OpenScan(views);
}

class OpenScan implements TextScan {
  readonly #text = new ArrivingText();
  readonly #views: readonly { wanted: ReadonlySet<DetectorName>; resolver: Resolver }[];
  readonly #nothing: readonly (readonly Finding[])[];
  readonly #audience: Audience;
  readonly #holdBack: number;
  readonly #used: number[];
  #ended = false;
  /** Claims since the last step. */
  #claims: Finding[] = [];
  #settles = false;
  #cueAt = 0;
  #cueRetry = 0;
  #tokenAt = 0;
  #tokenRetry = 0;
  /** Start of the run of token characters that reaches `#tokenAt`: `noRun`, or `deadRun` where it can't be a credential. */
  #run = noRun;
  readonly #marks: { at: number; retry: number }[];

  constructor(views: readonly ReadonlySet<DetectorName>[]) {
    const wanted = new Set(views.flatMap((view) => [...view]));
    this.#views = views.map((view) => ({ wanted: view, resolver: new Resolver() }));
    this.#nothing = views.map(() => []);
    this.#audience = audienceOf(wanted);
    this.#holdBack = holdBackOf(wanted);
    this.#used = this.#audience.number.map(() => 0);
    this.#marks = this.#audience.landmark.map(() => ({ at: 0, retry: 0 }));
  }

  push(piece: string): Progress {
    this.#text.push(piece);
    return this.#advance();
  }

  end(): Progress {
    this.#text.end();
    this.#ended = true;
    return this.#advance();
  }

  #advance(): Progress {
    const text = this.#text;
    const end = text.length;
    let known = this.#readCues(end);
    if (this.#audience.token.length > 0) known = Math.min(known, this.#readTokens(end));
    for (let i = 0; i < this.#marks.length; i++) known = Math.min(known, this.#readMarks(i, end));
    if (this.#ended) known = Number.POSITIVE_INFINITY;
    const found = this.#tell(known);
    let settled = Math.min(known, end);
    if (this.#settles && !this.#ended) settled = Math.min(...this.#views.map((view) => view.resolver.openFrom(known)));
    const settledOriginal = text.originalStart(settled);
    if (end - settled > this.#holdBack || text.arrived - settledOriginal > this.#holdBack + mostHidden)
      throw new HoldBackExceeded();
    text.forget(Math.min(known, settled));
    return { settled: settledOriginal, found };
  }

  #tell(known: number): Progress["found"] {
    const claims = this.#claims;
    if (claims.length > 0) {
      this.#claims = [];
      // From the first claim on, what is settled depends on the claims too.
      this.#settles = true;
    }
    if (!this.#settles) return this.#nothing;
    return this.#views.map(({ wanted, resolver }) => {
      resolver.add(claims.filter((claim) => wanted.has(claim.detector)));
      const found = resolver.settle(this.#text, known);
      return found.map((finding) => ({
        ...finding,
        start: this.#text.originalStart(finding.start),
        end: this.#text.originalEnd(finding.end),
      }));
    });
  }

  /** Keeps what was found, unless it depends on what is still to come. */
  #answers(ask: (found: Finding[]) => void): boolean {
    const found: Finding[] = [];
    this.#text.touchedEnd = false;
    ask(found);
    if (this.#text.touchedEnd && !this.#ended) return false;
    for (const finding of found) this.#claims.push(finding);
    return true;
  }

  /** Numbers, `@` and assignments. Returns where the first finding of a later cue may start; so do the other readers. */
  #readCues(end: number): number {
    if (end >= this.#cueRetry || this.#ended) {
      const text = this.#text;
      let cue = this.#cueAt;
      while (cue < end) {
        const kind = classes[text.charCodeAt(cue)]!;
        const next = kind === 0 || kind > assigns ? cue + 1 : this.#readCue(cue, kind);
        if (next === cue) break;
        cue = Math.abs(next);
        if (next < 0) break;
      }
      this.#cueAt = cue;
      this.#cueRetry = cue < end ? retryAt(cue, end) : 0;
    }
    return this.#earliest(this.#cueAt);
  }

  /** Where to read on; the cue itself where it must wait, or a later one as a negative offset. */
  #readCue(cue: number, kind: number): number {
    if (kind === digit) return this.#readNumber(cue);
    const answered = this.#answers((found) => {
      if (kind === at) for (const detector of this.#audience.at) detector.onAt!(this.#text, cue, found);
      else for (const detector of this.#audience.assignment) detector.onAssignment!(this.#text, cue, found);
    });
    return answered ? cue + 1 : cue;
  }

  #readNumber(start: number): number {
    const text = this.#text;
    const listeners = this.#audience.number;
    if (listeners.length === 0 || (start > 0 && classes[text.charCodeAt(start - 1)] === digit)) return start + 1;
    text.touchedEnd = false;
    const chain = isTrifle(text, start) ? undefined : chainAt(text, start);
    if (text.touchedEnd && !this.#ended) return start;
    if (chain === undefined) return start + 1;
    const groups = chain.isWhole ? chain.starts.length : 1;
    for (let group = 0; group < groups; group++) {
      const used = [...this.#used];
      if (!this.#answers((found) => askAboutGroup(text, chain, group, listeners, used, found)))
        return group === 0 ? start : -chain.starts[group]!;
      for (let i = 0; i < used.length; i++) this.#used[i] = used[i]!;
    }
    return chain.ends[groups - 1]!;
  }

  /** Where the first finding by a cue at `cue` or later may start. */
  #earliest(cue: number): number {
    let from = cue;
    if (this.#audience.number.length > 0) from = Math.max(0, cue - longestLead);
    if (this.#audience.at.length > 0) from = Math.min(from, addressStart(this.#text, cue));
    return from;
  }

  #readTokens(end: number): number {
    const text = this.#text;
    if (end < this.#tokenRetry && !this.#ended) return this.#run;
    this.#tokenRetry = 0;
    for (let i = this.#tokenAt; ; i++) {
      const goesOn = i < end && isToken[text.charCodeAt(i)] === 1;
      if (goesOn && this.#run === noRun) this.#run = i;
      if (!goesOn && (i < end || this.#ended) && this.#run !== noRun) {
        if (this.#run >= 0 && i - this.#run >= shortestToken && !this.#answerToken(i)) {
          this.#tokenAt = i;
          this.#tokenRetry = retryAt(this.#run, end);
          return this.#run;
        }
        this.#run = noRun;
      }
      if (i >= end) break;
    }
    this.#tokenAt = end;
    if (this.#run >= 0 && !mayBeToken(text, this.#run, end)) this.#run = deadRun;
    return this.#run >= 0 ? this.#run : end;
  }

  #answerToken(end: number): boolean {
    const start = this.#run;
    return this.#answers((found) => {
      for (const detector of this.#audience.token) detector.onToken!(this.#text, start, end, found);
    });
  }

  #readMarks(index: number, end: number): number {
    const detector = this.#audience.landmark[index]!;
    const mark = this.#marks[index]!;
    if (end < mark.retry && !this.#ended) return mark.at;
    mark.retry = 0;
    for (;;) {
      const place = this.#text.indexOf(detector.landmark!, mark.at);
      if (place < 0) break;
      let next = place;
      if (!this.#answers((found) => (next = detector.onLandmark!(this.#text, place, found)))) {
        mark.at = place;
        mark.retry = retryAt(place, end);
        return place;
      }
      mark.at = next;
    }
    mark.at = Math.max(mark.at, beginningOf(detector, this.#text, mark.at, end));
    return mark.at;
  }
}

const noRun = -1;
const deadRun = -2;

class HoldBackExceeded extends Error {
  override readonly name = "HoldBackExceeded";
  constructor() {
    super("The text hides more invisible characters than a scan may hold back.");
  }
}

const quote = 34;

/** Where an address may start whose `@` is at `at` or still to come. */
function addressStart(text: ArrivingText, at: number): number {
  let start = at;
  for (; start > 0 && at - start < longestLocal; start--) {
    const code = text.charCodeAt(start - 1);
    if (code < 128 && !isLocal(code)) break;
  }
  // A quoted local part: its last quote may be the one before `at`, its first the one before that.
  for (let i = at - 1, quotes = 0; i >= 0 && at - i <= longestLocal + 2; i--) {
    const code = text.charCodeAt(i);
    if (code < 32) break;
    if (code !== quote) continue;
    start = Math.min(start, i);
    if (++quotes === 2 || i < at - 1) break;
  }
  return start;
}

/** Where the landmark may have begun at the end of the text, or the end. */
function beginningOf({ landmark }: Detector, text: ArrivingText, from: number, end: number): number {
  if (!landmark!.includes(text.slice(Math.max(from, end - 1), end))) return end;
  for (let start = Math.max(from, end - landmark!.length + 1); start < end; start++)
    if (landmark!.startsWith(text.slice(start, end))) return start;
  return end;
}
