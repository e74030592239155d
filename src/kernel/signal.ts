/**
 * Giving up, told to whoever works for a request. An `AbortSignal` would do, and is one (`Signal` is a part of it), but
 * its listeners make whole requests outlive V8's young generation (Node 26: 30 KB a request promoted to old space,
 * against none); a request path can't afford that.
 */
export interface Signal {
  readonly aborted: boolean;
  /** Why; undefined until then. */
  readonly reason: unknown;
  /** Called once, in the tick of the abort; never where it has happened already. */
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export class Cancellation implements Signal {
  aborted = false;
  reason: unknown = undefined;
  // Nearly always none or one: an array is made for the second.
  #first: (() => void) | undefined;
  #others: (() => void)[] | undefined;

  /** The first reason stands. A listener's fault is its own: the others are told all the same. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const told = this.#first === undefined ? (this.#others ?? []) : [this.#first, ...(this.#others ?? [])];
    this.#first = undefined;
    this.#others = undefined;
    for (const listener of told) {
      try {
        listener();
      } catch (fault) {
        queueMicrotask(() => {
          throw fault;
        });
      }
    }
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (this.aborted) return;
    if (this.#first === undefined) this.#first = listener;
    else (this.#others ??= []).push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.#first === listener) this.#first = undefined;
    else if (this.#others) this.#others = this.#others.filter((other) => other !== listener);
  }
}
