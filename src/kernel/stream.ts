/**
 * A stream that is pulled, by hand instead of by an async generator: thousands may be open, and a generator that waits
 * holds many times what a promise does; besides, one that is left before its first `next` never runs its `finally`, so
 * that what it holds would stay held.
 */
export abstract class PulledStream<Item> implements AsyncIterableIterator<Item> {
  /** Set by the stream itself at its last item, when it has let go of what it held. */
  protected over = false;

  /** The next item; undefined where there is none any more. One at a time. A fault ends the stream. */
  protected abstract pull(): Promise<Item | undefined>;

  /** The reader has gone before `over`: called once, also where nothing was ever pulled. */
  protected abstract leave(): Promise<void> | void;

  next(): Promise<IteratorResult<Item>> {
    return this.over ? Promise.resolve(ended) : this.pull().then(resultOf);
  }

  async return(): Promise<IteratorResult<Item>> {
    if (!this.over) {
      this.over = true;
      await this.leave();
    }
    return ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

const resultOf = <Item>(item: Item | undefined): IteratorResult<Item> =>
  item === undefined ? ended : { done: false, value: item };
