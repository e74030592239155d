import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { costOf, noUsage, unpriced } from "../kernel/usage.ts";
import { compileBank, replace } from "./bank-fixture.ts";
import { planConfig } from "./plan.ts";
import { compiledModel, type DeclaredModel, modelOf, priceOf, tryModel } from "./price-fixture.ts";

const problemsOf = (declared: DeclaredModel): string[] => {
  const result = tryModel(declared);
  return (result.ok ? result.warnings : result.problems).map(({ path, message }) => `${path}: ${message}`);
};

describe("a price from the book", () => {
  const declared = { at: "openai", model: "gpt-5.4" };

  it.each<[string, object]>([
    ["where nothing is declared", {}],
    ["where it is asked for", { price: "book" }],
    ["by the name that the book has", { at: "local", model: "our-deployment", price: { book: "openai/gpt-5.4" } }],
  ])("%s", (_when, more) => {
    const { price, maxOutputTokens } = modelOf({ ...declared, ...more });
    expect(price).toMatchObject({ input: 2_500_000_000n, cached_input: 250_000_000n, output: 15_000_000_000n });
    expect(price.version).toMatch(/^genai-prices-[\d.]+\+[\d-]+\/openai\/gpt-5\.4\/\d{4}-\d\d-\d\d\/[0-9a-f]{8}$/);
    expect(maxOutputTokens).toBe(128_000);
  });

  it("becomes part of the configuration, so that a newer book changes nothing that was applied", () => {
    const { config, snapshot, canonical } = compiledModel(declared);
    const { price, max_output } = config.models["m"] as {
      price: { input: string; version: string };
      max_output: number;
    };
    expect(max_output).toBe(128_000);
    expect(canonical).toContain(price.version);
    // The same snapshot, had the book of its day said something else.
    const older = modelOf({ ...declared, price: { ...price, input: "1.5" }, max_output });
    expect(older.price).toMatchObject({ input: 1_500_000_000n, version: price.version });
    expect(snapshot.models.get("m")).toEqual(modelOf({ ...declared, price, max_output }));
  });

  it("keeps what is declared beside it", () => {
    const { price, maxOutputTokens } = modelOf({ ...declared, price: { book: true, contract: 0.5 }, max_output: 5 });
    expect([price.input, price.web_searches, maxOutputTokens]).toEqual([1_250_000_000n, 5_000_000_000_000n, 5]);
    expect(price.version).not.toBe(modelOf(declared).price.version);
  });

  it.each<[string, DeclaredModel, string]>([
    [
      "an unknown model",
      { at: "openai", model: "gpt-99", price: "book" },
      'models.m.price: the price book has no "gpt-99" at this vendor',
    ],
    ["an unknown entry", { price: { book: "openai/gpt-99" } }, 'models.m.price: the price book has no "openai/gpt-99"'],
    [
      "a vendor of one's own",
      { price: "book", model: "gpt-5.4" },
      'models.m.price: the price book has no "gpt-5.4" at this vendor',
    ],
    [
      "no price, and none in the book",
      { model: "gpt-5.4" },
      'models.m: the price of model "m" is not known, so no worst case can be held',
    ],
  ])("says what is missing: %s", (_what, model, message) => expect(problemsOf(model)).toContain(message));
});

describe("own prices", () => {
  it("fill tiers from below and classes from the standard rates", () => {
    const price = priceOf({
      input: 2,
      output: 10,
      tiers: [
        { above: 100, input: 4 },
        { above: 200, output: 20 },
      ],
      classes: { batch: { factor: 0.5 }, priority: { input: 3, tiers: [{ above: 200, input: 9 }] } },
    });
    const card = ({ input, output }: { input: bigint; output: bigint }) =>
      [input, output].map((rate) => Number(rate) / 1e9);
    const cards = (given: typeof price | NonNullable<typeof price.classes>["batch"]) => [
      card(given!),
      ...given!.tiers!.map(({ above, rates }) => [above, ...card(rates)]),
    ];
    expect(cards(price)).toEqual([
      [2, 10],
      [100, 4, 10],
      [200, 4, 20],
    ]);
    expect(cards(price.classes!.batch)).toEqual([
      [1, 5],
      [100, 2, 5],
      [200, 2, 10],
    ]);
    // 3 is half as much again as 2, so it is 6 where the standard is 4.
    expect(cards(price.classes!.priority)).toEqual([
      [3, 10],
      [100, 6, 10],
      [200, 9, 20],
    ]);
  });

  it("flag what they don't name", () => {
    const price = priceOf({ input: 2, output: 10, classes: { flex: { factor: 0.5 } } });
    const used = { ...noUsage, audio_input: 1, web_searches: 1 };
    expect(unpriced({ ...used, service_class: "flex" }, price)).toEqual(["audio_input", "web_searches"]);
    expect(unpriced({ ...used, service_class: "batch" }, price)).toContain("service_class");
    expect(unpriced({ ...used, service_class: "batch" }, priceOf("free"))).toEqual([]);
  });

  it("by date carry a version each", () => {
    const price = priceOf([
      { input: 1, output: 1, as_of: "2026-01-01" },
      { from: "2026-12-01", input: 2, output: 2, version: "december" },
      { hours: { from: "22:00", until: "06:00" }, input: 3, output: 3 },
    ]);
    expect(price.version).toMatch(/^m\/2026-01-01\/[0-9a-f]{8}$/);
    expect(price.dated).toMatchObject([
      { fromMs: Date.parse("2026-12-01T00:00:00Z"), price: { version: "december", input: 2_000_000_000n } },
      { fromMs: 0, hours: { fromMs: 79_200_000, untilMs: 21_600_000 }, price: { input: 3_000_000_000n } },
    ]);
  });

  it("tell apart figures that carry the same date", () => {
    const version = (input: number) => priceOf({ input, output: 1, as_of: "2026-01-01" }).version;
    expect(version(1)).not.toBe(version(2));
    expect(version(1)).toBe(version(1));
  });

  it("scale rates that a factor leaves fractional, and only then", () => {
    expect(priceOf({ input: 1, output: 1, contract: 0.85 }).scale).toBeUndefined();
    expect(priceOf({ input: 1, output: 2, contract: "2/3" })).toMatchObject({ scale: 3n, input: 2_000_000_000n });
  });

  it.each<[string, DeclaredModel, string]>([
    [
      "hours of the only price",
      { price: [{ input: 1, output: 1, hours: { from: "01:00", until: "02:00" } }] },
      "no hours",
    ],
    ["two tiers at one length", { price: { input: 1, output: 1, tiers: [{ above: 5 }, { above: 5 }] } }, "two tiers"],
    ["a day that does not exist", { price: { input: 1, output: 1, as_of: "2026-13-41" } }, "no such day"],
    ["no factor", { price: { input: 1, output: 1, contract: 0 } }, "no factor above zero"],
    ["a fraction of nothing", { price: { input: 1, output: 1, uplift: "1/0" } }, "no factor above zero"],
    ["a misspelt meter", { price: { input: 1, output: 1, cache_wirte: 2 } }, 'unknown key "cache_wirte"'],
    ["a misspelt tier", { price: { input: 1, output: 1, tiers: [{ above: 5, inptu: 2 }] } }, 'unknown key "inptu"'],
    ["a rate finer than a femto-USD", { price: { input: "0.0000000001", output: 1 } }, "finer than 1 femto-USD"],
  ])("refuse %s", (_what, model, message) =>
    expect(problemsOf({ ...model, max_output: 5 })).toContainEqual(expect.stringContaining(message)),
  );
});

describe("own hardware", () => {
  it("costs by the hour, needs no longest answer", () => {
    expect(modelOf({ price: { per_hour: 2.5, parallel: 8 } })).toMatchObject({
      price: { hour: { rate: 2_500_000_000_000_000n, parallel: 8 }, input: 0n },
      maxOutputTokens: 4096,
    });
  });

  it("costs by the millisecond in this process, and draws watts", () => {
    const priced =
      "runtime: rules, file: rules/credit.yaml, price: { per_cpu_ms: 0.00000002 }, energy: { watts: 12.5 }";
    const { snapshot } = compileBank(replace("runtime: rules, file: rules/credit.yaml", priced));
    const model = snapshot.models.get("baseline")!;
    expect(model.energy).toEqual({ inputNwh: 0n, outputNwh: 0n, milliwatts: 12_500n, parallel: 1 });
    expect(costOf(noUsage, model.price!, { durationMs: 2.5 })).toBe(50);
  });

  it("reads declared energy per token", () => {
    const { energy } = modelOf({ price: "free", energy: { wh_per_1k_input: 0.02, wh_per_1k_output: 0.3 } });
    expect(energy).toEqual({ inputNwh: 20_000n, outputNwh: 300_000n, milliwatts: 0n, parallel: 1 });
  });
});

describe("the plan of a price", () => {
  const own = "{ input: 2.50, cached_input: 0.25, output: 15 }";
  const lines = (before: string, after: string): string[] => {
    const bank = (price: string) => compileBank(replace(own, price));
    const base = bank(before);
    const { changes } = planConfig({ serving: base, declared: base }, bank(after));
    expect(new Set(changes.map(({ mark, subject }) => `${mark} ${subject}`))).toEqual(new Set(["~ model gpt-main"]));
    return changes.map(({ text, impact }) => (impact === undefined ? text : `${text}; ${impact}`));
  };
  const warning = "more than 20 %: check it against the vendor's list";

  it("shows each figure with its change, and warns of large ones", () => {
    expect(lines(own, "{ input: 3, cached_input: 0.26, output: 11.9, web_search: 0.01 }")).toEqual([
      "price input 2.5 → 3 (+20 %)",
      "price cached_input 0.25 → 0.26 (+4 %)",
      `price output 15 → 11.9 (-20.7 %); ${warning}`,
      "price web_search none → 0.01",
    ]);
  });

  it("shows tiers, classes and dates by name", () => {
    const tiered = (rate: number) =>
      `[{ input: 1, output: 1 }, { from: "2027-01-01", input: 1, output: 1, tiers: [{ above: 5, input: ${rate} }], classes: { batch: { factor: 0.${rate} } } }]`;
    expect(lines(tiered(5), tiered(4))).toEqual([
      "price from 2027-01-01 above 5 input 5 → 4 (-20 %)",
      "price from 2027-01-01 batch factor 0.5 → 0.4 (-20 %)",
    ]);
  });

  it("shows the book's figures when the book changes, not a running price", () => {
    const { config } = compileBank(replace(own, "book"));
    const { price } = config.models["gpt-main"] as { price: Record<string, unknown> };
    const older = JSON.stringify({ ...price, output: "10", version: "an older book" });
    expect(lines(older, "book")).toEqual([`price output 10 → 15 (+50 %); ${warning}`]);
    expect(lines(JSON.stringify({ ...price, version: "an older book" }), "book")).toEqual([
      `price version an older book → ${price["version"]}`,
    ]);
    expect(stringify(price)).not.toContain("book:");
  });
});
