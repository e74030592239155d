import { describe, expect, it } from "vitest";
import { amountOnly } from "../../../tests/fixtures/onnx/load.ts";
import { createRowEncoder } from "./onnx-columns.ts";
import { batchLanes, type LaneOptions } from "./onnx-lanes.ts";

/** Both places score 0.25 inline and 0.75 in the worker, and take what `micros` says. */
function setUp(options: Partial<LaneOptions> & { inlineModel?: boolean; always?: boolean } = {}) {
  const { inlineModel = true, always = false, ...given } = options;
  let now = 0;
  const state = { micros: 0, ready: false, starts: 0 };
  const take = async (count: number, score: number) => {
    now += state.micros / 1000;
    return new Float32Array(count).fill(score);
  };
  const worker: LaneOptions["worker"] = {
    get ready() {
      return state.ready;
    },
    async start() {
      state.starts++;
      throw new Error("no thread today");
    },
    run: ({ count }) => take(count, 0.75),
  };
  const lanes = batchLanes({
    clock: { monotonic: () => now },
    encoder: createRowEncoder("m", amountOnly),
    worker,
    cost: { callMicros: 50, rowMicros: 5 },
    maxBatchRows: 500,
    maxWaitingRows: 2000,
    ...(inlineModel && { inline: { session: { run: (count: number) => take(count, 0.25) }, always } }),
    ...given,
  });
  return { lanes, state };
}
const rows = (count: number) => Array.from({ length: count }, () => ({ Amount: 1 }));

describe("batchLanes", () => {
  it("keeps what fits into a few turns on the loop, within its budget a turn", () => {
    const { lanes, state } = setUp();
    state.ready = true;
    expect(lanes.laneFor(1)).toMatchObject({ here: true, maxRows: 11 });
    expect(lanes.laneFor(44)).toMatchObject({ here: true, maxRows: 11 });
    expect(lanes.laneFor(45)).toMatchObject({ here: false, maxRows: 500 });
  });

  it("starts the worker with the first crowd, which does not wait for it", async () => {
    const { lanes, state } = setUp();
    expect(lanes.laneFor(45).here).toBe(true);
    expect(state.starts).toBe(1);
    state.ready = true;
    expect(await lanes.laneFor(45).run(rows(2))).toEqual(Float32Array.of(0.75, 0.75));
    expect(await lanes.laneFor(2).run(rows(2))).toEqual(Float32Array.of(0.25, 0.25));
  });

  it("never leaves the loop where it was told to stay", () => {
    const { lanes, state } = setUp({ always: true });
    expect(lanes.laneFor(10_000)).toMatchObject({ here: true, maxRows: 500 });
    expect(state.starts).toBe(0);
  });

  it("always goes to the worker with a dear model, a few milliseconds at a time", () => {
    const { lanes } = setUp({ inlineModel: false, cost: { callMicros: 1000, rowMicros: 400 } });
    expect(lanes.laneFor(1)).toMatchObject({ here: false, maxRows: 11 });
  });

  it("learns from what batches take", async () => {
    const { lanes, state } = setUp();
    state.micros = 250;
    for (let i = 0; i < 200; i++) await lanes.laneFor(5).run(rows(5));
    expect(lanes.laneFor(5).maxRows).toBeLessThan(3);
  });

  it.each([
    [{ callMicros: 50, rowMicros: 5 }, 2000],
    [{ callMicros: 5000, rowMicros: 5000 }, 200],
    [{ callMicros: 90_000, rowMicros: 90_000 }, 64],
  ])("lets a second's worth of rows wait at %j: %i", (cost, most) => {
    expect(setUp({ inlineModel: false, cost }).lanes.maxWaitingRows()).toBe(most);
  });
});
