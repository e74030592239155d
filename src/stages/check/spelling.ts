/** How a text that arrives is spelled, and how parts of it are replaced: as it is, or as JSON. */
import type { Found } from "../screen/index.ts";

export type Edit = Pick<Found, "start" | "end"> & { replacement: string };

/** What guards read counts in its own offsets; what leaves is spelled as it came. */
export interface Spelling {
  /** Takes the next piece and gives what guards read of it. */
  read(piece: string): string;
  /** The same of what is left at the end. */
  end(): string;
  /** The text from where the last one ended up to offset `to`, or short of it where that would split something. */
  take(to: number, edits: readonly Edit[]): string;
  /** All that is still held, as it came. */
  spill(): string;
}

export class PlainText implements Spelling {
  #held = "";
  /** Offset at which `#held` begins. */
  #from = 0;

  read(piece: string): string {
    this.#held += piece;
    return piece;
  }

  end(): string {
    return "";
  }

  take(to: number, edits: readonly Edit[]): string {
    let taken = "";
    for (const { start, end, replacement } of edits) {
      taken += this.#cut(start) + replacement;
      this.#cut(end);
    }
    return taken + this.#cut(to);
  }

  spill(): string {
    return this.#cut(this.#from + this.#held.length);
  }

  #cut(to: number): string {
    const length = Math.max(0, to - this.#from);
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#from += length;
    return text;
  }
}
