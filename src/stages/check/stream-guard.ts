/**
 * Output guards on a live stream, event by event. Every text of the answer (each choice's text, refusal, reasoning,
 * transcript, and the arguments of each tool call) is read as the whole answer would be; of each at most the scan's
 * hold-back stays here. What the guards find is replaced, or stops the stream before any of it has left.
 */
import type { ChatEvent } from "../../kernel/chat.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { GuardVerdict } from "../../kernel/decision.ts";
import type { ErrorCode } from "../../kernel/errors.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import { type OpenScan, type Scanner, detectedBy, failureOf, verdictOf } from "../screen/index.ts";
import { GuardedText, type Watch } from "./guarded-text.ts";
import { JsonText } from "./json-text.ts";
import { withWords } from "./one-text.ts";
import { PlainText } from "./spelling.ts";

export interface StreamGuardPorts {
  scanner: Scanner;
  openScan: OpenScan;
  clock: Pick<Clock, "monotonic">;
}

/**
 * An event that keeps the guards busy for longer holds up everyone: that is a fault of the guards. It takes microseconds,
 * but a busy machine may stop a process for tens of milliseconds, which is none.
 */
const mostMsPerEvent = 1000;
const mostTexts = 256;

type Of<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;
type Worded = Of<"text"> | Of<"reasoning"> | Of<"audio">;

/** The part that a choice's words belong to at present. */
interface OpenPart {
  key: string;
  text: GuardedText;
  /** Its events with these words instead of theirs. */
  event: (words: string) => Worded;
  hasLeft: boolean;
}

interface Choice {
  part?: OpenPart;
  calls: Map<number, { text: GuardedText; spelling: JsonText | PlainText; delta: (words: string) => ChatEvent }>;
}

export class StreamGuard {
  readonly #ports: StreamGuardPorts;
  readonly #guards: readonly Guard[];
  readonly #watch: Watch;
  readonly #counts: Record<string, number>[];
  readonly #choices = new Map<number, Choice>();
  /** Parts and calls that are open. */
  #texts = 0;
  #hasHit = false;
  #fault: unknown;
  /** Set when no event may leave any more. */
  stopped: { code: ErrorCode; message: string } | undefined;
  /** Log probabilities name the tokens that were held back or replaced, so they don't leave. */
  droppedLogprobs = false;

  constructor(ports: StreamGuardPorts, guards: readonly Guard[]) {
    this.#ports = ports;
    this.#guards = guards;
    const { views, redacts, viewOf } = viewsOf(guards);
    this.#counts = guards.map(() => ({}));
    this.#watch = {
      views,
      redacts,
      redact: (text, found) => ports.scanner.redact(text, found),
      found: (view, { detector }) => {
        this.#hasHit = true;
        for (const [i, counts] of this.#counts.entries())
          if (viewOf[i] === view) counts[detector] = (counts[detector] ?? 0) + 1;
      },
    };
  }

  /** What may leave once this event has come. Nothing more once `stopped` is set. */
  add(event: ChatEvent): ChatEvent[] {
    if (this.stopped) return [];
    if (this.#fault !== undefined) return [event];
    const out: ChatEvent[] = [];
    const { clock } = this.#ports;
    const from = clock.monotonic();
    let taken = false;
    try {
      this.#take(event, out, () => (taken = true));
    } catch (fault) {
      return this.#fail(fault, taken ? undefined : event, out);
    }
    if (this.#hasHit) {
      this.#hasHit = false;
      const blocking = this.#guards.find((guard, i) => guard.action === "block" && hits(this.#counts[i]!));
      if (blocking) {
        const message = `The guard "${blocking.name}" blocked the rest of the answer.`;
        this.stopped = { code: "output_blocked", message };
        return [];
      }
    }
    return clock.monotonic() - from > mostMsPerEvent ? this.#fail(new GuardTooSlow(), undefined, out) : out;
  }

  /** What each guard has to say so far. */
  verdicts(): GuardVerdict[] {
    return this.#guards.map((guard, i) => {
      const findings = this.#counts[i]!;
      return this.#fault === undefined
        ? verdictOf(guard, "output", findings)
        : { ...failureOf(guard, "output", this.#fault), findings };
    });
  }

  #take(event: ChatEvent, out: ChatEvent[], taken: () => void): void {
    switch (event.type) {
      case "text":
        if (event.logprobs) this.droppedLogprobs = true;
        return this.#words(event, event.text, event.refusal ? "refusal" : "text", out, taken);
      case "audio":
        return this.#spoken(event, out, taken);
      case "reasoning":
        return this.#reasoning(event, out, taken);
      case "tool_call_start":
        this.#closePart(this.#choice(event), out);
        this.#closeCalls(this.#choice(event), event.index, out);
        this.#openCall(event, event.custom === true);
        out.push(event);
        return;
      case "tool_call_delta":
        return this.#argumentsOf(event, out, taken);
      case "part":
        this.#closePart(this.#choice(event), out);
        out.push({ ...event, part: this.#wholePart(event.part) });
        return;
      case "citations":
        out.push({
          ...event,
          citations: event.citations.map((one) => withWords(one, (words) => this.#whole(words).words)),
        });
        return;
      case "finish":
        this.#closeAll(this.#choice(event), out);
        out.push(event);
        return;
      case "end":
        for (const choice of this.#choices.values()) this.#closeAll(choice, out);
        out.push(event);
        return;
      default:
        // A broken stream's last words are not told: they may be the beginning of a finding.
        out.push(event);
    }
  }

  #choice({ choice = 0 }: { choice?: number }): Choice {
    let known = this.#choices.get(choice);
    if (known === undefined) {
      if (this.#choices.size >= mostTexts) throw new TooManyTexts();
      this.#choices.set(choice, (known = { calls: new Map() }));
    }
    return known;
  }

  #open(spelling: JsonText | PlainText): GuardedText {
    if (this.#texts >= mostTexts) throw new TooManyTexts();
    this.#texts++;
    return new GuardedText(this.#ports.openScan(this.#watch.views), spelling, this.#watch);
  }

  /** Words of a part that goes on until another kind of part begins. */
  #words(event: Worded, words: string, key: string, out: ChatEvent[], taken: () => void): void {
    const choice = this.#choice(event);
    if (choice.part?.key !== key) {
      this.#closePart(choice, out);
      this.#closeCalls(choice, undefined, out);
    }
    const part = (choice.part ??= { key, text: this.#open(new PlainText()), event: bareEvent(event), hasLeft: false });
    taken();
    const safe = part.text.push(words);
    if (safe === "") return;
    part.hasLeft = true;
    out.push(part.event(safe));
  }

  #spoken(event: Of<"audio">, out: ChatEvent[], taken: () => void): void {
    const { transcript, ...sound } = event;
    if (transcript !== undefined) this.#words(event, transcript, "audio", out, taken);
    else if (this.#choice(event).part?.key !== "audio") this.#closePart(this.#choice(event), out);
    if (transcript === undefined || Object.keys(sound).some((name) => silent.has(name))) out.push(sound);
  }

  #reasoning(event: Of<"reasoning">, out: ChatEvent[], taken: () => void): void {
    const { text, signature, encrypted, id } = event;
    const choice = this.#choice(event);
    const isNew = encrypted !== undefined || (id !== undefined && choice.part?.key !== `reasoning ${id}`);
    if (isNew) this.#closePart(choice, out);
    const key = choice.part?.key.startsWith("reasoning ") ? choice.part.key : `reasoning ${id ?? ""}`;
    if (signature === undefined && encrypted === undefined) return this.#words(event, text, key, out, taken);
    this.#words(event, text, key, out, taken);
    const part = choice.part!;
    const rest = part.text.end();
    this.#forgetPart(choice);
    // A signature over words that were replaced proves nothing and would be refused.
    out.push({
      ...part.event(rest),
      ...(signature !== undefined && !part.text.isChanged && { signature }),
      ...(encrypted !== undefined && { encrypted }),
    } as Of<"reasoning">);
  }

  #openCall({ index, choice }: { index: number; choice?: number }, isFreeText: boolean) {
    const spelling = isFreeText ? new PlainText() : new JsonText();
    const of = choice === undefined ? {} : { choice };
    const delta = (words: string): ChatEvent => ({ type: "tool_call_delta", index, arguments: words, ...of });
    const { calls } = this.#choice(of);
    const call = { text: this.#open(spelling), spelling, delta };
    calls.set(index, call);
    return call;
  }

  #argumentsOf(event: Of<"tool_call_delta">, out: ChatEvent[], taken: () => void): void {
    const call = this.#choice(event).calls.get(event.index) ?? this.#openCall(event, false);
    taken();
    const safe = call.text.push(event.arguments);
    if (safe !== "") out.push(call.delta(safe));
  }

  /** What comes in one piece is read in one piece: a vendor's own items as the JSON that they are. */
  #wholePart(part: Of<"part">["part"]): Of<"part">["part"] {
    if (part.type === "native") {
      const { words, isChanged } = this.#whole(JSON.stringify(part.value ?? null), new JsonText());
      return isChanged ? { ...part, value: JSON.parse(words) as unknown } : part;
    }
    if (part.type !== "audio" || part.transcript === undefined) return part;
    return { ...part, transcript: this.#whole(part.transcript).words };
  }

  #whole(all: string, spelling: JsonText | PlainText = new PlainText()): { words: string; isChanged: boolean } {
    const text = this.#open(spelling);
    const words = text.push(all) + text.end();
    this.#texts--;
    return { words, isChanged: text.isChanged };
  }

  #closePart(choice: Choice, out: ChatEvent[]): void {
    const { part } = choice;
    if (part === undefined) return;
    const rest = part.text.end();
    this.#forgetPart(choice);
    if (rest !== "" || !part.hasLeft) out.push(part.event(rest));
  }

  #forgetPart(choice: Choice): void {
    delete choice.part;
    this.#texts--;
  }

  /** Those whose arguments are whole, and the earlier one of the same number. */
  #closeCalls(choice: Choice, number: number | undefined, out: ChatEvent[]): void {
    for (const [index, { spelling }] of choice.calls)
      if (index === number || (spelling instanceof JsonText && spelling.isWhole)) this.#closeCall(choice, index, out);
  }

  #closeCall(choice: Choice, index: number, out: ChatEvent[]): void {
    const call = choice.calls.get(index)!;
    const rest = call.text.end();
    choice.calls.delete(index);
    this.#texts--;
    if (rest !== "") out.push(call.delta(rest));
  }

  #closeAll(choice: Choice, out: ChatEvent[]): void {
    for (const index of choice.calls.keys()) this.#closeCall(choice, index, out);
    this.#closePart(choice, out);
  }

  /** Fails closed where one guard demands it; else all that is held leaves, and the rest unread. */
  #fail(fault: unknown, untaken: ChatEvent | undefined, out: ChatEvent[]): ChatEvent[] {
    this.#fault = fault ?? new Error("fault");
    const closed = this.#guards.find((guard) => guard.onFailure === "closed");
    if (closed) {
      this.stopped = { code: "guard_failed", message: `The guard "${closed.name}" could not run.` };
      return [];
    }
    for (const { calls, part } of this.#choices.values()) {
      for (const { text, delta } of calls.values()) addWords(out, text.spill(), delta);
      if (part) addWords(out, part.text.spill(), part.event);
    }
    this.#choices.clear();
    if (untaken) out.push(untaken);
    return out;
  }
}

/** Fields of an audio event that say something beside its transcript. */
const silent: ReadonlySet<string> = new Set(["data", "format", "expires_at"]);

const addWords = (out: ChatEvent[], words: string, event: (words: string) => ChatEvent): void => {
  if (words !== "") out.push(event(words));
};

const hits = (counts: Record<string, number>): boolean => {
  for (const _ in counts) return true;
  return false;
};

/** The event with other words and nothing else that tells of them. */
function bareEvent(event: Worded): (words: string) => Worded {
  const of = event.choice === undefined ? {} : { choice: event.choice };
  const id = event.type !== "text" && event.id !== undefined ? { id: event.id } : {};
  if (event.type === "audio") return (transcript) => ({ type: "audio", ...id, transcript, ...of });
  if (event.type === "reasoning") return (text) => ({ type: "reasoning", text, ...id, ...of });
  const refusal = event.refusal ? ({ refusal: true } as const) : {};
  return (text) => ({ type: "text", text, ...refusal, ...of });
}

interface Views {
  views: readonly ReadonlySet<string>[];
  redacts: number | undefined;
  viewOf: readonly number[];
}

const knownViews = new WeakMap<readonly Guard[], Views>();

/** One view for each set of detectors that some guard, or all redacting guards together, look for. */
function viewsOf(guards: readonly Guard[]): Views {
  let known = knownViews.get(guards);
  if (known) return known;
  const views: ReadonlySet<string>[] = [];
  const viewFor = (wanted: ReadonlySet<string>): number => {
    const same = views.findIndex((view) => view.size === wanted.size && [...wanted].every((name) => view.has(name)));
    return same >= 0 ? same : views.push(wanted) - 1;
  };
  const redacting = guards.filter((guard) => guard.action === "redact");
  const redacts =
    redacting.length === 0 ? undefined : viewFor(new Set(redacting.flatMap((guard) => [...guard.detect])));
  known = { views, redacts, viewOf: guards.map((guard) => viewFor(detectedBy(guard))) };
  knownViews.set(guards, known);
  return known;
}

class GuardTooSlow extends Error {
  override readonly name = "GuardTooSlow";
  constructor() {
    super(`The guards took longer than ${mostMsPerEvent} ms over one event.`);
  }
}

class TooManyTexts extends Error {
  override readonly name = "TooManyTexts";
  constructor() {
    super(`The answer has more than ${mostTexts} parts.`);
  }
}
