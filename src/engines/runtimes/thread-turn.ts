/** Runs acts of one thread one after another. */
let last: Promise<void> | undefined;

/**
 * Sessions of one WebAssembly instance share its stack, and a run takes from it, waits, and gives back. Two that overlap
 * give back what is the other's: each time some stack is lost, until after some thousands a run never ends. So no two of
 * a thread ever overlap, whatever their model.
 */
export async function inThreadTurn<T>(act: () => Promise<T>): Promise<T> {
  const before = last;
  const mine = Promise.withResolvers<void>();
  last = mine.promise;
  if (before !== undefined) await before;
  try {
    return await act();
  } finally {
    if (last === mine.promise) last = undefined;
    mine.resolve();
  }
}
