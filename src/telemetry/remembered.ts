// A label's values come from configuration; what has more of them than this is not configuration.
const mostRemembered = 10_000;

/** What stands for a label's value, made when it is first counted: this runs for every decision. */
export class Remembered<T> {
  readonly #made = new Map<string, T>();
  readonly #make: (value: string) => T;
  constructor(make: (value: string) => T) {
    this.#make = make;
  }
  of(value: string): T {
    let made = this.#made.get(value);
    if (made === undefined) {
      made = this.#make(value);
      if (this.#made.size < mostRemembered) this.#made.set(value, made);
    }
    return made;
  }
  all(): Iterable<[string, T]> {
    return this.#made;
  }
}
