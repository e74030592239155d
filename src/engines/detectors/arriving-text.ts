/** The end of a text that is still arriving, without its disguises: offsets count from the text's beginning. */
import { classes, disguise, mathematicalHigh, nothing, typographic } from "./character-classes.ts";
import { plainCode } from "./disguise.ts";
import type { Source } from "./port.ts";

/** What stays readable before the place from which text is still needed: the farthest that a detector looks back. */
const lookBehind = 128;
const worthForgetting = 512;

/** Where each character of the buffer stood in the original; absent while none was dropped or merged. */
interface Origins {
  starts: number[];
  ends: number[];
}

export class ArrivingText implements Source {
  /** Set when something beyond the end was read: what was made of it may change with the next piece. */
  touchedEnd = false;
  #text = "";
  #base = 0;
  #origins: Origins | undefined;
  /** Original units behind `#text` and the dropped ones. */
  #arrived = 0;
  /** A last unit whose meaning depends on the next one. */
  #unread = "";
  #before = Number.NaN;

  get length(): number {
    return this.#base + this.#text.length;
  }

  charCodeAt(index: number): number {
    if (index >= this.length) this.touchedEnd = true;
    return this.#text.charCodeAt(index - this.#base);
  }

  slice(start: number, end: number): string {
    if (end > this.length) this.touchedEnd = true;
    return this.#text.slice(Math.max(0, start - this.#base), Math.max(0, end - this.#base));
  }

  indexOf(needle: string, from: number): number {
    const at = this.#text.indexOf(needle, from - this.#base);
    return at < 0 ? -1 : at + this.#base;
  }

  push(piece: string): void {
    this.#take(this.#unread + piece, false);
  }

  end(): void {
    this.#take(this.#unread, true);
  }

  /** Where the character at `index` begins in the original; at the end, where what is still to come begins. */
  originalStart(index: number): number {
    if (index >= this.length) return this.#arrived;
    return this.#origins ? this.#origins.starts[index - this.#base]! : this.#arrived - this.length + index;
  }

  /** Where the character before `index` ends in the original: invisible ones after it stay outside. */
  originalEnd(index: number): number {
    return this.#origins ? this.#origins.ends[index - 1 - this.#base]! : this.#arrived - this.length + index;
  }

  /** Original units that have arrived, the unread one included. */
  get arrived(): number {
    return this.#arrived + this.#unread.length;
  }

  /** Lets go of what lies well before `index`. */
  forget(index: number): void {
    const cut = index - this.#base - lookBehind;
    if (cut < worthForgetting) return;
    this.#text = this.#text.slice(cut);
    this.#base += cut;
    if (!this.#origins) return;
    const starts = this.#origins.starts.slice(cut);
    // One for one up to the end: then offsets can be reckoned again.
    this.#origins =
      this.#arrived - (starts[0] ?? this.#arrived) === starts.length
        ? undefined
        : { starts, ends: this.#origins.ends.slice(cut) };
  }

  #take(given: string, isLast: boolean): void {
    this.#unread = "";
    let at = 0;
    while (at < given.length && classes[given.charCodeAt(at)]! < disguise) at++;
    this.#append(at === given.length ? given : given.slice(0, at));
    for (; at < given.length; at++) {
      const code = given.charCodeAt(at);
      if (at === given.length - 1 && !isLast && (code === mathematicalHigh || classes[code] === typographic)) {
        this.#unread = given.slice(at);
        return;
      }
      const meant = plainCode(this.#before, code, given.charCodeAt(at + 1));
      const isPair = code === mathematicalHigh && meant !== code;
      this.#stand(meant, isPair ? 2 : 1);
      if (isPair) at++;
      this.#before = given.charCodeAt(at);
    }
  }

  #append(text: string): void {
    if (text === "") return;
    this.#before = text.charCodeAt(text.length - 1);
    this.#text += text;
    for (let i = 0; this.#origins && i < text.length; i++) {
      this.#origins.starts.push(this.#arrived + i);
      this.#origins.ends.push(this.#arrived + i + 1);
    }
    this.#arrived += text.length;
  }

  /** Takes in the meaning of one or two original units. */
  #stand(meant: number, units: number): void {
    if (meant === nothing || units > 1) this.#origins ??= this.#reckoned();
    if (meant !== nothing) {
      this.#text += String.fromCharCode(meant);
      this.#origins?.starts.push(this.#arrived);
      this.#origins?.ends.push(this.#arrived + units);
    }
    this.#arrived += units;
  }

  #reckoned(): Origins {
    const first = this.#arrived - this.#text.length;
    const starts = Array.from({ length: this.#text.length }, (_, i) => first + i);
    return { starts, ends: starts.map((start) => start + 1) };
  }
}
