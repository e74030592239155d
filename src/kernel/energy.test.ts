import { describe, expect, it } from "vitest";
import { type Energy, energyOf } from "./energy.ts";
import { noUsage, type Usage } from "./usage.ts";

const none: Energy = { inputNwh: 0n, outputNwh: 0n, milliwatts: 0n, parallel: 1 };

describe("energyOf", () => {
  it.each<[string, Partial<Usage>, Partial<Energy>, number, number]>([
    // 0.3 Wh per thousand tokens are 300,000 nWh a token.
    ["tokens out", { output: 1000 }, { outputNwh: 300_000n }, 0, 300],
    ["every kind of token in", { input: 400, cached_input: 500, cache_write: 100 }, { inputNwh: 1_000_000n }, 0, 1000],
    ["halves to even", { output: 1 }, { outputNwh: 500_000n }, 0, 0],
    ["and up", { output: 3 }, { outputNwh: 500_000n }, 0, 2],
    ["a kilowatt for 3.6 seconds is 1 Wh", {}, { milliwatts: 1_000_000n }, 3600, 1000],
    ["shared by four", {}, { milliwatts: 1_000_000n, parallel: 4 }, 3600, 250],
    ["both", { output: 1000 }, { outputNwh: 300_000n, milliwatts: 1_000_000n }, 3600, 1300],
    ["nothing declared", { input: 5, output: 5 }, {}, 1000, 0],
  ])("%s", (_name, used, energy, durationMs, milliwattHours) => {
    expect(energyOf({ ...noUsage, ...used }, { ...none, ...energy }, durationMs)).toBe(milliwattHours);
  });
});
