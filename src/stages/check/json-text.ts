/**
 * JSON text for guards: they read it with the escapes in its strings undone, and what they replace leaves valid JSON as
 * it was. A replaced part of a string stands in that string; a number, or a part of it, becomes a string as a whole.
 */
import type { Edit, Spelling } from "./spelling.ts";

const structure = 0;
const inString = 1;
/** Of a number, `true`, `false` or `null`. */
const literal = 2;

/** No number, and no name of a constant, is longer: what is, isn't JSON. */
const longestLiteral = 1024;

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

/** Each held unit as guards read it: its kind, and its spelling. */
interface Unit {
  kind: number;
  spelled: string;
}

export class JsonText implements Spelling {
  #units: Unit[] = [];
  /** Offset of the first of them. */
  #from = 0;
  #isInString = false;
  #partial = "";
  #isOver = false;
  #depth = 0;
  #isOpened = false;

  /** Whether the outermost object or list is closed. */
  get isWhole(): boolean {
    return this.#isOpened && this.#depth <= 0 && !this.#isInString;
  }

  read(piece: string): string {
    const text = this.#partial + piece;
    this.#partial = "";
    let shown = "";
    for (let i = 0; i < text.length; i++) {
      const character = text[i]!;
      if (!this.#isInString || character !== "\\") {
        shown += this.#readPlain(character);
        continue;
      }
      const escape = /^\\(?:u[0-9a-fA-F]{4}|u(?![0-9a-fA-F]{0,3}$)|[^u])/s.exec(text.slice(i, i + 6))?.[0];
      if (escape === undefined && !this.#isOver) {
        this.#partial = text.slice(i);
        break;
      }
      const spelled = escape ?? text.slice(i, i + 2);
      shown += this.#add(inString, spelled, meaningOf(spelled));
      i += spelled.length - 1;
    }
    return shown;
  }

  end(): string {
    this.#isOver = true;
    return this.read("");
  }

  take(to: number, edits: readonly Edit[]): string {
    for (const edit of edits) this.#replace(edit);
    let count = Math.max(0, Math.min(to - this.#from, this.#units.length));
    // A literal leaves whole: guards may still want the rest of it.
    const isOpen = (at: number) => this.#units[at]?.kind === literal || (at === this.#units.length && !this.#isOver);
    if (count > 0 && isOpen(count)) while (count > 0 && this.#units[count - 1]!.kind === literal) count--;
    if (to - this.#from - count > longestLiteral) throw new SyntaxError("a literal in JSON that does not end");
    const taken = this.#units.slice(0, count);
    this.#units = this.#units.slice(count);
    this.#from += count;
    return taken.map((unit) => unit.spelled).join("");
  }

  spill(): string {
    const held = this.#units.map((unit) => unit.spelled).join("") + this.#partial;
    this.#from += this.#units.length;
    this.#units = [];
    this.#partial = "";
    return held;
  }

  #readPlain(character: string): string {
    if (character === '"') {
      this.#isInString = !this.#isInString;
      return this.#add(structure, character, character);
    }
    if (this.#isInString) return this.#add(inString, character, character);
    if (character === "{" || character === "[") {
      this.#depth++;
      this.#isOpened = true;
    } else if (character === "}" || character === "]") this.#depth--;
    return this.#add(" \t\r\n{}[]:,".includes(character) ? structure : literal, character, character);
  }

  #add(kind: number, spelled: string, meaning: string): string {
    this.#units.push({ kind, spelled });
    return meaning;
  }

  #replace({ start, end, replacement }: Edit): void {
    const units = this.#units;
    let isReplaced = false;
    let from = start - this.#from;
    let to = end - this.#from;
    // From and up to the borders of the literals at its ends.
    if (units[from]?.kind === literal) while (units[from - 1]?.kind === literal) from--;
    if (units[to - 1]?.kind === literal) while (units[to]?.kind === literal) to++;
    for (let i = Math.max(0, from); i < to; i++) {
      const unit = units[i]!;
      if (unit.kind === structure) {
        isReplaced = false;
        continue;
      }
      unit.spelled = isReplaced ? "" : unit.kind === literal ? JSON.stringify(replacement) : quoteless(replacement);
      isReplaced = true;
    }
  }
}

const quoteless = (text: string): string => JSON.stringify(text).slice(1, -1);

/** Always one code unit. */
function meaningOf(escape: string): string {
  if (escape.length === 6) return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
  const character = escape.at(-1)!;
  return escapes[character] ?? character;
}
