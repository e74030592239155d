/** Prices: from declared figures to exact rates; what the price book says becomes part of the configuration. */
import type { Energy } from "../kernel/energy.ts";
import { femtoUsdOf } from "../kernel/money.ts";
import type { Model, VendorTarget } from "../kernel/snapshot.ts";
import { type Price, freePrice } from "../kernel/usage.ts";
import { type BookEntry, bookAsOf, bookVersion, findInBook, type PriceFigures } from "../prices/index.ts";
import { canonicalJson } from "./canonical.ts";
import { compileRates } from "./compile-rates.ts";
import { type Declaration, unknownName } from "./declaration.ts";
import { sha256Hex } from "./files.ts";
import type { ModelConfig } from "./schema.ts";
import type { DatedPriceConfig, OwnPriceConfig, PriceConfig, RuntimePriceConfig } from "./schema-price.ts";
import { unpinned } from "./values.ts";
import type { Path } from "./yaml-source.ts";
import { quirksOf } from "./settle-vendor.ts";

type VendorModelConfig = Extract<ModelConfig, { vendor: string }>;
/** A price with its figures in it. */
type FiguredPrice = Exclude<PriceConfig, "book" | { book: unknown }>;

const freeMaxOutput = 4096;

/** Figures from the price book are written into the declaration, so that the snapshot holds them. */
export function compileVendorModel(
  declaration: Declaration,
  name: string,
  config: VendorModelConfig,
  vendor: VendorTarget | undefined,
): Model | undefined {
  if (!vendor) {
    const path: Path = ["models", name, "vendor"];
    const vendors = Object.keys(declaration.config.vendors);
    unknownName(declaration, path, `vendor "${config.vendor}"`, config.vendor, vendors, "declare it under `vendors`");
  }
  const price = settlePrice(declaration, name, config, vendor);
  if (price === undefined) return undefined;
  if (config.max_output === undefined && chargesOutput(price)) {
    const message = `model "${name}" has a price but no max_output, so no worst case can be held`;
    const fix = "add max_output: the most output tokens that the vendor lets this model write";
    declaration.report(["models", name], message, { key: true, fix });
    return undefined;
  }
  return {
    name,
    type: "vendor",
    vendor: config.vendor,
    model: config.model,
    price: compilePrice(name, price),
    maxOutputTokens: config.max_output ?? freeMaxOutput,
    ...(config.context === undefined ? {} : { contextTokens: config.context }),
    ...(config.lacks.length > 0 && { lacks: config.lacks }),
    ...(config.quirks && { quirks: quirksOf(config) }),
    ...(config.energy && { energy: compileEnergy(config.energy) }),
  };
}

function settlePrice(
  declaration: Declaration,
  name: string,
  config: VendorModelConfig,
  vendor: VendorTarget | undefined,
): FiguredPrice | undefined {
  const { price } = config;
  const asked = price === "book" || (typeof price === "object" && "book" in price);
  if (price !== undefined && !asked) return price;
  const terms: Terms = typeof price === "object" && "book" in price ? price : {};
  const entry = bookEntry(terms.book, config.model, vendor);
  if (!entry) {
    reportUnknown(declaration, name, price, config.model);
    return undefined;
  }
  config.price = bookPrice(entry, terms);
  if (config.max_output === undefined && entry.maxOutputTokens !== undefined) config.max_output = entry.maxOutputTokens;
  return config.price;
}

function bookEntry(named: string | true | undefined, model: string, vendor: VendorTarget | undefined) {
  if (typeof named !== "string") return vendor && findInBook({ baseUrl: vendor.baseUrl }, model);
  const slash = named.indexOf("/");
  return findInBook({ provider: named.slice(0, slash) }, named.slice(slash + 1));
}

function reportUnknown(declaration: Declaration, name: string, price: PriceConfig | undefined, model: string): void {
  const own = "add price: { input: …, output: … } (USD per million tokens) and max_output, or price: free";
  if (price === undefined) {
    const message = `the price of model "${name}" is not known, so no worst case can be held`;
    declaration.report(["models", name], message, { key: true, fix: own });
    return;
  }
  const named = typeof price === "object" && "book" in price && typeof price.book === "string";
  const message = named ? `the price book has no "${price.book}"` : `the price book has no "${model}" at this vendor`;
  declaration.report(["models", name, "price"], message, {
    fix: `write { book: PROVIDER/MODEL } where it is sold under another name, or ${own}`,
  });
}

type Terms = { book?: string | true; contract?: string | number | undefined; uplift?: string | number | undefined };

function bookPrice({ name, figures }: BookEntry, { contract, uplift }: Terms): FiguredPrice {
  const terms = { ...(contract !== undefined && { contract }), ...(uplift !== undefined && { uplift }) };
  const dated = figures.map((one) => fromBook(name, one, terms));
  const [first, ...later] = dated;
  return later.length === 0 ? first! : dated;
}

function fromBook(entry: string, figures: PriceFigures, terms: Terms): DatedPriceConfig {
  const priced = { ...figures, ...terms };
  const date = figures.from ?? bookAsOf;
  const version = `${bookVersion}/${entry}/${date}/${digest(priced)}`;
  return { ...priced, per: "1M tokens", version };
}

const digest = (figures: object): string => sha256Hex(canonicalJson(figures)).slice(0, 8);

/** Whether an answer's length changes what it costs. */
function chargesOutput(price: FiguredPrice): boolean {
  if (price === "free" || "per_hour" in price) return false;
  const charged = ["output", "reasoning", "audio_output", "image_output"] as const;
  return [price].flat().some((one) => charged.some((meter) => one[meter] !== undefined && Number(one[meter]) !== 0));
}

function compilePrice(name: string, config: FiguredPrice): Price {
  if (config === "free" || "per_hour" in config) return compileRuntimePrice(name, config);
  if (!Array.isArray(config)) return compileOwn(name, config);
  const [base, ...later] = config.map((one) => ({
    fromMs: one.from === undefined ? 0 : Date.parse(one.from),
    ...(one.hours && { hours: { fromMs: minutesMs(one.hours.from), untilMs: minutesMs(one.hours.until) } }),
    price: compileOwn(name, one),
  }));
  return { ...base!.price, ...(later.length > 0 && { dated: later }) };
}

const minutesMs = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000;

const compileOwn = (name: string, config: OwnPriceConfig): Price => ({
  version: versionOf(name, config),
  ...compileRates(config),
});

/** The digest tells apart two prices that carry the same date. */
function versionOf(name: string, config: { version?: string | undefined; as_of?: string | undefined }): string {
  const { version, as_of, ...figures } = config;
  return version ?? [unpinned(name), ...(as_of === undefined ? [] : [as_of]), digest(figures)].join("/");
}

const cpuMsPerHour = 3_600_000n;

/** The price of what runs on own hardware. */
export function compileRuntimePrice(name: string, config: RuntimePriceConfig): Price {
  if (config === "free") return { ...freePrice, version: "free" };
  const hour =
    "per_hour" in config
      ? { rate: femtoUsdOf(config.per_hour), parallel: config.parallel }
      : { rate: femtoUsdOf(config.per_cpu_ms) * cpuMsPerHour, parallel: 1 };
  return { ...freePrice, version: versionOf(name, config), hour };
}

export function compileEnergy(config: NonNullable<ModelConfig["energy"]>): Energy {
  const { wh_per_1k_input = 0, wh_per_1k_output = 0, watts = 0, parallel } = config;
  return {
    inputNwh: BigInt(Math.round(wh_per_1k_input * nanoWhPerToken)),
    outputNwh: BigInt(Math.round(wh_per_1k_output * nanoWhPerToken)),
    milliwatts: BigInt(Math.round(watts * 1000)),
    parallel,
  };
}

/** 1 Wh per thousand tokens. */
const nanoWhPerToken = 1_000_000;
