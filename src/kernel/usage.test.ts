import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  costOf,
  freePrice,
  inputTokens,
  noUsage,
  type Price,
  priceAt,
  savingOf,
  tokenMeters,
  unpriced,
  type Usage,
  worstCaseOf,
} from "./usage.ts";

const tokens = fc.integer({ min: 0, max: 10_000_000 });
const price = fc.bigInt({ min: 0n, max: 10n ** 11n });
const usage: fc.Arbitrary<Usage> = fc.record({
  input: tokens,
  cached_input: tokens,
  output: tokens,
  estimated: fc.boolean(),
});
const meters = [...tokenMeters.filter((name) => name !== "reasoning"), "web_searches", "search_units"] as const;
const meter = fc.constantFrom(...meters);
const prices = fc.record({ version: fc.constant("v"), input: price, cached_input: price, output: price, call: price });

describe("costOf", () => {
  it("sums exactly and rounds once: never more than half a nano-USD away from the exact sum", () => {
    fc.assert(
      fc.property(usage, prices, (used, at) => {
        const exact =
          BigInt(used.input) * at.input +
          BigInt(used.cached_input) * at.cached_input +
          BigInt(used.output) * at.output +
          at.call;
        const off = BigInt(costOf(used, at)) * 1_000_000n - exact;
        expect(off >= -500_000n && off <= 500_000n).toBe(true);
      }),
    );
  });

  it("never falls when anything more is used", () => {
    fc.assert(
      fc.property(usage, prices, meter, tokens, (used, at, more, by) => {
        const grown = { ...used, [more]: (used[more] ?? 0) + by };
        expect(costOf(grown, at)).toBeGreaterThanOrEqual(costOf(used, at));
      }),
    );
  });

  it("never falls with time, where an hour has a price", () => {
    const at = { ...freePrice, hour: { rate: 10n ** 15n, parallel: 3 } };
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        (ms, by) => {
          expect(costOf(noUsage, at, { durationMs: ms + by })).toBeGreaterThanOrEqual(
            costOf(noUsage, at, { durationMs: ms }),
          );
        },
      ),
    );
  });

  it.each([
    ["a published price, exactly", { ...noUsage, input: 1_000_000 }, { input: 2_500_000_000n }, 2_500_000_000],
    [
      "terms that are halves, summed before rounding",
      { ...noUsage, input: 1, output: 1 },
      { input: 500_000n, output: 500_000n },
      1,
    ],
    ["a half, to even", { ...noUsage, input: 1 }, { input: 500_000n }, 0],
    [
      "cached input at its own price",
      { ...noUsage, cached_input: 10 },
      { input: 9_000_000n, cached_input: 1_000_000n },
      10,
    ],
    ["a call price without tokens", noUsage, { call: 3_000_000n }, 3],
    ["nothing", noUsage, {}, 0],
  ])("%s", (_name, used, at, cost) => expect(costOf(used, { ...freePrice, ...at })).toBe(cost));
});

const base: Price = { version: "base", input: 1_000_000n, cached_input: 100_000n, output: 5_000_000n, call: 0n };
const used = (meters: Partial<Usage>): Usage => ({ ...noUsage, ...meters });

describe("a meter without a rate", () => {
  it.each<[string, Partial<Usage>, Partial<Price>, number, string[]]>([
    ["cache writes cost as input", { cache_write: 2 }, {}, 2, []],
    ["an hour's as input where no write is priced", { cache_write_1h: 2 }, {}, 2, []],
    ["an hour's never below five minutes'", { cache_write_1h: 2 }, { cache_write: 3_000_000n }, 6, ["cache_write_1h"]],
    ["nor below input", { cache_write_1h: 2 }, { cache_write: 0n }, 2, ["cache_write_1h"]],
    ["reasoning costs as output", { output: 4, reasoning: 3 }, {}, 20, []],
    ["audio costs as text, flagged", { audio_input: 1, audio_output: 1 }, {}, 6, ["audio_input", "audio_output"]],
    ["cached audio as audio", { cached_audio_input: 2 }, { audio_input: 4_000_000n }, 8, []],
    ["images as output, flagged", { image_output: 1 }, {}, 5, ["image_output"]],
    ["searches are not known, flagged", { web_searches: 3 }, {}, 0, ["web_searches"]],
    ["a class is standard, flagged", { input: 1, service_class: "priority" }, {}, 1, ["service_class"]],
    ["what is priced isn't flagged", { audio_input: 1 }, { audio_input: 0n }, 0, []],
    ["nothing used, nothing flagged", {}, {}, 0, []],
  ])("%s", (_name, meters, rates, cost, flagged) => {
    expect(costOf(used(meters), { ...base, ...rates })).toBe(cost);
    expect(unpriced(used(meters), { ...base, ...rates })).toEqual(flagged);
  });

  it("is never flagged under a free price", () => {
    const everything = { web_searches: 1, audio_output: 1, cached_audio_input: 1, service_class: "flex" as const };
    expect(unpriced(used(everything), freePrice)).toEqual([]);
  });
});

const tiered: Price = {
  ...base,
  tiers: [
    { above: 100, rates: { ...base, input: 2_000_000n } },
    { above: 200, rates: { ...base, input: 3_000_000n, output: 1_000_000n } },
  ],
};

describe("a cliff", () => {
  it.each([
    [100, 100],
    [101, 202],
    [200, 400],
    [201, 603],
  ])("%i tokens of input cost %i", (input, cost) => expect(costOf(used({ input }), tiered)).toBe(cost));

  it("counts every kind of input", () => {
    const kinds = {
      input: 1,
      cached_input: 2,
      cache_write: 3,
      cache_write_1h: 4,
      audio_input: 5,
      cached_audio_input: 6,
    };
    expect(inputTokens(used(kinds))).toBe(21);
  });
});

describe("worstCaseOf", () => {
  it.each<[string, Price, Parameters<typeof worstCaseOf>[1], number]>([
    ["input and output", base, { inputTokens: 10, maxOutputTokens: 10 }, 60],
    ["the dearest write", { ...base, cache_write_1h: 2_000_000n }, { inputTokens: 10, maxOutputTokens: 0 }, 20],
    [
      "no write where none is asked for",
      { ...base, cache_write_1h: 2_000_000n },
      { inputTokens: 10, maxOutputTokens: 0, cacheWrite: "none" },
      10,
    ],
    ["no tier that can't be reached", tiered, { inputTokens: 100, maxOutputTokens: 1 }, 105],
    ["the dearer of the tiers", tiered, { inputTokens: 201, maxOutputTokens: 300 }, 2 * 201 + 5 * 300],
    ["dear reasoning", { ...base, reasoning: 9_000_000n }, { inputTokens: 0, maxOutputTokens: 2 }, 18],
    [
      "the standard class where the asked one is cheaper",
      { ...base, classes: { flex: { ...base, input: 1n } } },
      { inputTokens: 5, maxOutputTokens: 0, serviceClass: "flex" },
      5,
    ],
    [
      "the asked class where it is dearer",
      { ...base, classes: { priority: { ...base, input: 7_000_000n } } },
      { inputTokens: 5, maxOutputTokens: 0, serviceClass: "priority" },
      35,
    ],
    [
      "time",
      { ...freePrice, hour: { rate: 36n * 10n ** 14n, parallel: 1 } },
      { inputTokens: 5, maxOutputTokens: 5, durationMs: 1000 },
      1_000_000,
    ],
  ])("%s", (_name, at, bounds, nanoUsd) => expect(worstCaseOf(at, bounds)).toBe(nanoUsd));
});

describe("savingOf", () => {
  it.each<[string, Price, Partial<Usage>, number]>([
    ["hits against fresh input", base, { input: 5, cached_input: 10 }, 9],
    ["at the rates of the tier", tiered, { input: 101, cached_input: 100 }, 290],
    ["audio", { ...base, audio_input: 5_000_000n, cached_audio_input: 0n }, { cached_audio_input: 2 }, 10],
    ["nothing without hits", base, { input: 5 }, 0],
  ])("%s", (_name, at, meters, nanoUsd) => expect(savingOf(used(meters), at)).toBe(nanoUsd));

  it("is the difference to the same request without a cache", () => {
    fc.assert(
      fc.property(tokens, tokens, (input, cached_input) => {
        const without = costOf(used({ input: input + cached_input }), base);
        const hit = used({ input, cached_input });
        expect(Math.abs(costOf(hit, base) + savingOf(hit, base) - without)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("priceAt", () => {
  const price = (version: string): Price => ({ ...base, version });
  const dayMs = 86_400_000;
  const dated: Price = {
    ...price("old"),
    dated: [
      { fromMs: 10 * dayMs, price: price("new") },
      { fromMs: 20 * dayMs, hours: { fromMs: 82_800_000, untilMs: 3_600_000 }, price: price("night") },
    ],
  };
  it.each([
    [0, "old"],
    [10 * dayMs - 1, "old"],
    [10 * dayMs, "new"],
    [20 * dayMs, "night"],
    [20 * dayMs + 3_600_000, "new"],
    [21 * dayMs - 3_600_000, "night"],
    [30 * dayMs + 43_200_000, "new"],
  ])("at %i it is the %s one", (ms, version) => expect(priceAt(dated, ms).version).toBe(version));
  it("is the price itself where no other one is dated", () => expect(priceAt(base, 5)).toBe(base));
});
