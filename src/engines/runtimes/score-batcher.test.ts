import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { LaneLost } from "./poison-rows.ts";
import { type BatchLane, type BatcherOptions, ScoreBatcher } from "./score-batcher.ts";

interface Run {
  rows: readonly number[];
  end(error?: Error): void;
}

/** Rows are numbers and score themselves; runs end when the test says so, or at once where `held` is false. */
function setUp(given: Partial<BatcherOptions<number>> & { maxRows?: number; here?: boolean; held?: boolean } = {}) {
  const { maxRows = 100, here = false, held = true, ...options } = given;
  const clock = new VirtualClock();
  const turns: (() => void)[] = [];
  const runs: Run[] = [];
  const lane: BatchLane<number> = {
    maxRows,
    here,
    run(rows) {
      const done = Promise.withResolvers<number[]>();
      runs.push({ rows, end: (error) => (error ? done.reject(error) : done.resolve([...rows])) });
      if (!held) runs.at(-1)!.end();
      return done.promise;
    },
  };
  const batcher = new ScoreBatcher<number>({
    model: "m",
    clock,
    laneFor: () => lane,
    bytesOf: () => 10,
    maxBatchBytes: 1e6,
    maxWaitingRows: () => 1000,
    atTurnEnd: (act) => turns.push(act),
    ...options,
  });
  const endTurn = async () => {
    for (const act of turns.splice(0)) act();
    await settled();
  };
  const end = async (index: number, error?: Error) => {
    runs[index]!.end(error);
    await settled();
  };
  return { batcher, clock, runs, turns, endTurn, end, rowsOf: () => runs.map((run) => run.rows) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const scores = async (call: Promise<{ score: number }[]>) => (await call).map(({ score }) => score);
const outcome = async (call: Promise<unknown>) => {
  const [result] = await Promise.allSettled([call]);
  return result!.status === "fulfilled" ? result!.value : result!.reason;
};

describe("ScoreBatcher", () => {
  it("runs what came in one turn of the loop as one batch, and what comes meanwhile as the next", async () => {
    const { batcher, runs, endTurn, end, rowsOf, turns } = setUp();
    const first = [batcher.submit([0.1]), batcher.submit([0.2, 0.3])];
    expect(runs).toEqual([]);
    expect(turns).toHaveLength(1);
    await endTurn();
    const second = [batcher.submit([0.4]), batcher.submit([0.5])];
    await endTurn();
    expect(rowsOf()).toEqual([[0.1, 0.2, 0.3]]);
    await end(0);
    expect(rowsOf()).toEqual([
      [0.1, 0.2, 0.3],
      [0.4, 0.5],
    ]);
    await end(1);
    expect(await Promise.all([...first, ...second].map(scores))).toEqual([[0.1], [0.2, 0.3], [0.4], [0.5]]);
  });

  it("gives the loop a turn between batches that run on it", async () => {
    const { batcher, endTurn, rowsOf } = setUp({ here: true, held: false, maxRows: 2 });
    const calls = [0.1, 0.2, 0.3].map((row) => scores(batcher.submit([row])));
    await endTurn();
    expect(rowsOf()).toEqual([[0.1, 0.2]]);
    await endTurn();
    expect(await Promise.all(calls)).toEqual([[0.1], [0.2], [0.3]]);
  });

  it.each([
    ["rows", { maxRows: 2 }, [[0.1, 0.2], [0.3, 0.4], [0.5]]],
    ["bytes", { bytesOf: (row: number) => row * 100, maxBatchBytes: 50 }, [[0.1, 0.2], [0.3], [0.4], [0.5]]],
    ["bytes, one row at least", { bytesOf: () => 100, maxBatchBytes: 50 }, [[0.1], [0.2], [0.3], [0.4], [0.5]]],
  ])("bounds a batch by %s, splitting calls where need be", async (_what, options, batches) => {
    const { batcher, endTurn, rowsOf } = setUp({ ...options, held: false });
    const calls = [batcher.submit([0.1]), batcher.submit([0.2, 0.3, 0.4]), batcher.submit([0.5])];
    await endTurn();
    expect(rowsOf()).toEqual(batches);
    expect(await Promise.all(calls.map(scores))).toEqual([[0.1], [0.2, 0.3, 0.4], [0.5]]);
  });

  it("takes out rows whose time is up before they run", async () => {
    const { batcher, clock, endTurn, end, rowsOf } = setUp();
    const running = batcher.submit([0.1], undefined, 1000);
    await endTurn();
    const late = outcome(batcher.submit([0.2], undefined, 50));
    const inTime = batcher.submit([0.3], undefined, 51);
    await clock.advance(50);
    await end(0);
    expect(await late).toMatchObject({ code: "deadline_exceeded" });
    await end(1);
    expect(await scores(inTime)).toEqual([0.3]);
    expect(await scores(running)).toEqual([0.1]);
    expect(rowsOf()).toEqual([[0.1], [0.3]]);
  });

  it("lets go of aborted calls at once: before their turn, while they wait and while they run", async () => {
    const { batcher, endTurn, end, rowsOf } = setUp();
    const reason = new Error("client gone");
    const aborts = Array.from({ length: 3 }, () => new AbortController());
    expect(await outcome(batcher.submit([0.9], AbortSignal.abort(reason)))).toBe(reason);
    const early = outcome(batcher.submit([0.1], aborts[0]!.signal));
    const running = outcome(batcher.submit([0.2], aborts[1]!.signal));
    const kept = batcher.submit([0.3], new AbortController().signal);
    aborts[0]!.abort(reason);
    await endTurn();
    const waiting = outcome(batcher.submit([0.4], aborts[2]!.signal));
    aborts[1]!.abort(reason);
    aborts[2]!.abort(reason);
    expect(await Promise.all([early, running, waiting])).toEqual([reason, reason, reason]);
    await end(0);
    expect(await scores(kept)).toEqual([0.3]);
    expect(rowsOf()).toEqual([[0.2, 0.3]]);
  });

  it("lets go of calls that came in the same turn but found no place in the batch that runs", async () => {
    const { batcher, endTurn, end, rowsOf } = setUp({ maxRows: 1 });
    const running = batcher.submit([0.1]);
    const abort = new AbortController();
    let left: unknown;
    batcher.submit([0.2], abort.signal).catch((reason: unknown) => (left = reason));
    await endTurn();
    abort.abort("gone");
    await settled();
    expect(left).toBe("gone");
    await end(0);
    expect(await scores(running)).toEqual([0.1]);
    expect(rowsOf()).toEqual([[0.1]]);
  });

  it("leaves out of the search for a bad row what nobody waits for any more", async () => {
    const { batcher, endTurn, end, rowsOf } = setUp();
    const abort = new AbortController();
    const calls = [0.1, 0.2, 0.3, 0.4].map((row) =>
      outcome(batcher.submit([row], row === 0.4 ? abort.signal : undefined)),
    );
    await endTurn();
    await end(0, new Error("bad row"));
    abort.abort(new Error("gone"));
    await end(1);
    await end(2, new Error("bad row"));
    expect(rowsOf()).toEqual([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2], [0.3]]);
    const ends = await Promise.all(calls);
    expect(ends.slice(2)).toMatchObject([{ message: "model m could not score: bad row" }, { message: "gone" }]);
  });

  it("asks a model that scored nothing for one row only, until it scores again", async () => {
    let broken = true;
    const asked: number[] = [];
    const lane: BatchLane<number> = {
      maxRows: 100,
      here: false,
      async run(rows) {
        asked.push(rows.length);
        if (broken || rows.includes(0.3)) throw new Error("broken");
        return rows;
      },
    };
    const { batcher, endTurn } = setUp({ laneFor: () => lane });
    const batch = async () => {
      asked.length = 0;
      const calls = Array.from({ length: 8 }, (_, i) => outcome(batcher.submit([i / 10])));
      await endTurn();
      const ends = await Promise.all(calls);
      return [asked.length, ends.filter((end) => Array.isArray(end)).length];
    };
    expect(await batch()).toEqual([6, 0]);
    expect(await batch()).toEqual([2, 0]);
    broken = false;
    const [runs, scored] = await batch();
    expect(scored).toBe(7);
    expect(runs).toBeGreaterThan(2);
  });

  it("refuses what would wait too long, but never a call that finds the queue empty", async () => {
    const { batcher, endTurn, end } = setUp({ maxWaitingRows: () => 3 });
    const large = batcher.submit([0.1, 0.1, 0.1, 0.1]);
    await endTurn();
    const waiting = batcher.submit([0.2, 0.2]);
    const abort = new AbortController();
    const goes = outcome(batcher.submit([0.3], abort.signal));
    expect(await outcome(batcher.submit([0.4]))).toMatchObject({
      code: "overloaded",
      message: expect.stringMatching(/^model m has 3 rows waiting, the limit is 3$/),
    });
    abort.abort(new Error("gone"));
    await goes;
    const fits = batcher.submit([0.5]);
    await end(0);
    await end(1);
    expect(await Promise.all([large, waiting, fits].map(scores))).toEqual([[0.1, 0.1, 0.1, 0.1], [0.2, 0.2], [0.5]]);
  });

  it("fails only the call whose row scores what is no score", async () => {
    const { batcher, endTurn } = setUp({ held: false });
    const calls = [0.5, NaN, 1.1, 1.0000005].map((row) => outcome(batcher.submit([row])));
    await endTurn();
    expect(await Promise.all(calls)).toEqual([
      [{ score: 0.5, reasons: [] }],
      expect.objectContaining({
        code: "internal",
        message: expect.stringContaining("m could not score: the graph's score is not a number"),
      }),
      expect.objectContaining({ message: expect.stringContaining("outside of [0, 1]") }),
      [{ score: 1, reasons: [] }],
    ]);
  });

  it("says with its faults why rows fail together, and goes on", async () => {
    const { batcher, endTurn, end } = setUp();
    const lost = [batcher.submit([0.1]), batcher.submit([0.2])].map(outcome);
    await endTurn();
    const next = batcher.submit([0.3]);
    await end(0, new LaneLost("out of memory"));
    for (const fault of await Promise.all(lost))
      expect(fault).toMatchObject({
        code: "internal",
        message: expect.stringMatching(/out of memory; its worker was lost/),
      });
    await end(1);
    expect(await scores(next)).toEqual([0.3]);
  });

  it("rejects what waits on close and what comes later; what runs is its lane's", async () => {
    const { batcher, endTurn, end } = setUp();
    const running = batcher.submit([0.1]);
    await endTurn();
    const waiting = outcome(batcher.submit([0.2]));
    batcher.close();
    const closed = { code: "internal", message: expect.stringMatching(/was closed/) };
    expect(await waiting).toMatchObject(closed);
    expect(await outcome(batcher.submit([0.3]))).toMatchObject(closed);
    await end(0);
    expect(await scores(running)).toEqual([0.1]);
  });
});

/** What may happen next: a call comes, a client goes, a turn ends, a run ends, time passes. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant("call" as const),
      rows: fc.integer({ min: 1, max: 4 }),
      poison: fc.nat(6),
      lateMs: fc.option(fc.integer({ min: 1, max: 40 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("abort" as const), which: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("turn" as const) }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("end" as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 20 }) }) },
);

describe("under any interleaving of calls, aborts, deadlines, faults and runs", () => {
  it.each([true, false])(
    "every call gets exactly its own rows' scores or its own fault (on the loop: %s)",
    async (here) => {
      const steps = fc.array(step, { minLength: 5, maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(steps, fc.integer({ min: 1, max: 9 }), async (happens, maxRows) => {
          const { batcher, clock, runs, endTurn } = setUp({ here, maxRows });
          const poisoned = new Set<number>();
          const calls: {
            rows: number[];
            abort: AbortController;
            deadlineAt: number;
            result: Promise<unknown>;
            settled: number;
            reason: Error;
          }[] = [];
          const ran: number[] = [];
          let ended = 0;
          const endRun = () => {
            const run = runs[ended];
            if (!run) return;
            ended++;
            ran.push(...run.rows);
            run.end(run.rows.some((row) => poisoned.has(row)) ? new Error("poison") : undefined);
          };
          let serial = 0;
          for (const one of happens) {
            if (one.act === "call") {
              const rows = Array.from({ length: one.rows }, () => ++serial / 1000);
              if (one.poison === 0) poisoned.add(rows.at(-1)!);
              const abort = new AbortController();
              const deadlineAt = one.lateMs === null ? Infinity : clock.monotonic() + one.lateMs;
              const call = {
                rows,
                abort,
                deadlineAt,
                settled: 0,
                reason: new Error(`gone ${serial}`),
                result: Promise.resolve() as Promise<unknown>,
              };
              call.result = outcome(batcher.submit(rows, abort.signal, deadlineAt)).finally(() => call.settled++);
              calls.push(call);
            } else if (one.act === "abort") {
              const call = calls[one.which % Math.max(1, calls.length)];
              call?.abort.abort(call.reason);
            } else if (one.act === "turn") await endTurn();
            else if (one.act === "end") endRun();
            else await clock.advance(one.ms);
            await settled();
          }
          for (let idle = 0; idle < 3; idle++) {
            await endTurn();
            while (ended < runs.length) {
              endRun();
              await settled();
              idle = 0;
            }
          }
          for (const { rows, abort, deadlineAt, result, settled: times, reason } of calls) {
            expect(times).toBe(1);
            const got = await result;
            if (Array.isArray(got)) {
              expect(got).toEqual(rows.map((score) => ({ score, reasons: [] })));
              expect(rows.some((row) => poisoned.has(row))).toBe(false);
            } else if (got === reason) expect(abort.signal.aborted).toBe(true);
            else if ((got as { code: string }).code === "deadline_exceeded")
              expect(deadlineAt).toBeLessThanOrEqual(clock.monotonic());
            else {
              const { message } = got as Error;
              expect(message).toMatch(/poison/);
              // Rows that fail with others say so; a call that fails alone is itself poisoned.
              if (!message.includes(";")) expect(rows.some((row) => poisoned.has(row))).toBe(true);
            }
          }
          // Nothing runs again that was scored: without poison, no row runs twice.
          if (poisoned.size === 0) expect(new Set(ran).size).toBe(ran.length);
        }),
        { numRuns: 120 },
      );
    },
  );
});
