import type { Found, Scanner, TextScan } from "../screen/index.ts";
import type { Spelling } from "./spelling.ts";

/** What is looked for in every text of a stream. */
export interface Watch {
  views: readonly ReadonlySet<string>[];
  /** The view whose findings are replaced, if any. */
  redacts: number | undefined;
  /** Every finding of every view. */
  found(view: number, finding: Found): void;
  redact: Scanner["redact"];
}

/** One text of a stream: takes pieces, gives back what is safe to leave. */
export class GuardedText {
  readonly #scan: TextScan;
  readonly #spelling: Spelling;
  readonly #watch: Watch;
  /** Whether a part was replaced. */
  isChanged = false;

  constructor(scan: TextScan, spelling: Spelling, watch: Watch) {
    this.#scan = scan;
    this.#spelling = spelling;
    this.#watch = watch;
  }

  push(piece: string): string {
    return this.#release(this.#scan.push(this.#spelling.read(piece)));
  }

  end(): string {
    const rest = this.#spelling.end();
    const before = rest === "" ? "" : this.#release(this.#scan.push(rest));
    return before + this.#release(this.#scan.end());
  }

  /** What is held, as it came: for guards that fail open. */
  spill(): string {
    return this.#spelling.spill();
  }

  #release({ settled, found }: ReturnType<TextScan["push"]>): string {
    const { redacts, redact } = this.#watch;
    for (let view = 0; view < found.length; view++)
      for (const finding of found[view]!) this.#watch.found(view, finding);
    const replaced = redacts === undefined ? [] : found[redacts]!;
    if (replaced.length > 0) this.isChanged = true;
    return this.#spelling.take(settled, editsOf(replaced, redact));
  }
}

const noEdits: readonly never[] = [];

/** Findings with what stands for them: what `redact` makes of each alone. */
export const editsOf = (found: readonly Found[], redact: Scanner["redact"]) =>
  found.length === 0
    ? noEdits
    : found.map((finding) => ({
        start: finding.start,
        end: finding.end,
        replacement: redact("", [{ ...finding, start: 0, end: 0 }]),
      }));
