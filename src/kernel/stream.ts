/** A generator that is left before its first `next` never runs its `finally`: what it holds would stay held. */

/** `generate`'s stream; when it is left before it was begun, `neverBegun` lets go of what the generator would have. */
export function heldStream<Item>(
  generate: () => AsyncGenerator<Item>,
  neverBegun: () => Promise<void> | void,
): AsyncIterableIterator<Item> {
  const items = generate();
  let begun = false;
  return {
    next() {
      begun = true;
      return items.next();
    },
    async return() {
      if (!begun) {
        begun = true;
        await neverBegun();
      }
      return items.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
