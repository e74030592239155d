/** Runs acts of one thread one after another. */
let last: Promise<unknown> | undefined;

/**
 * Sessions of one WebAssembly instance share its stack: a run that waits within, while another session's run returns,
 * would give back stack that is not its own. So no two of a thread ever overlap, whatever their model.
 */
export function inThreadTurn<T>(act: () => Promise<T>): Promise<T> {
  const mine = last === undefined ? act() : last.then(act);
  const done: Promise<unknown> = mine
    .catch(() => undefined)
    .then(() => {
      if (last === done) last = undefined;
    });
  last = done;
  return mine;
}
