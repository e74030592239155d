/** Finds the rows that make a batch fail, by halves, so that only they fail; stops early where nothing can be scored. */

/** The lane itself went away with the batch (a worker died or hung): to try its rows again could take it down again. */
export class LaneLost extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "LaneLost";
  }
}

export interface Piece<Batch> {
  batch: Batch;
  size: number;
}

export interface Isolation<Batch> {
  /** Nothing could be scored in the batch that failed before this one. */
  hopeless: boolean;
  /** Runs a part and hands out its scores. */
  run(part: Batch): Promise<void>;
  /** The rows `from` up to `to` that somebody still waits for. */
  split(batch: Batch, from: number, to: number): Piece<Batch>;
  /** `why` says why rows fail together, where they do. */
  fail(part: Batch, error: unknown, why: string): void;
}

/** Runs that a search may cost: enough to single out four rows of a batch. */
const maxRuns = (size: number) => 8 * Math.ceil(Math.log2(size)) + 8;
/** One row that fails alone explains as many failures in a row as there are halvings, and its neighbour one more. */
const maxFailuresInRow = (size: number) => Math.ceil(Math.log2(size)) + 2;

const lost = "its worker was lost with the whole batch, which is not tried again";
const stopped = "nothing in the batch could be scored, so not every row was tried alone";
const costly = "too many rows of the batch fail to try each of them alone";

/** `error` is what the whole batch failed with. Settles every row of it. */
export async function isolate<Batch>(
  whole: Piece<Batch>,
  error: unknown,
  { hopeless, run, split, fail }: Isolation<Batch>,
): Promise<{ hopeless: boolean }> {
  if (error instanceof LaneLost) return (fail(whole.batch, error, whole.size > 1 ? lost : ""), { hopeless });
  // One row alone says nothing about others.
  if (whole.size === 1) return (fail(whole.batch, error, ""), { hopeless });
  // A model known to fail gets one row to show that it has recovered.
  const open = hopeless ? [split(whole.batch, 1, whole.size), split(whole.batch, 0, 1)] : halves(whole, split);
  let failuresInRow = 1;
  let scoredAny = false;
  let runs = 0;
  for (let piece = open.pop(); piece !== undefined; piece = open.pop()) {
    const { batch, size } = split(piece.batch, 0, piece.size);
    if (size === 0) continue;
    runs++;
    let why: string | undefined;
    try {
      await run(batch);
      scoredAny = true;
      failuresInRow = 0;
    } catch (fault) {
      error = fault;
      failuresInRow++;
      const gone = fault instanceof LaneLost;
      if (size === 1 || gone) fail(batch, fault, gone && size > 1 ? lost : "");
      else open.push(...halves({ batch, size }, split));
      if (gone) why = lost;
      else if (!scoredAny && (hopeless || failuresInRow > maxFailuresInRow(whole.size))) why = stopped;
    }
    if (runs >= maxRuns(whole.size)) why ??= costly;
    if (why === undefined) continue;
    for (const rest of open) fail(rest.batch, error, why);
    return { hopeless: why === stopped };
  }
  return { hopeless: false };
}

/** The first half last, for it is taken from the end. */
function halves<Batch>({ batch, size }: Piece<Batch>, split: Isolation<Batch>["split"]): Piece<Batch>[] {
  const middle = size >> 1;
  return [split(batch, middle, size), split(batch, 0, middle)];
}
