/**
 * The optional package onnxruntime-node: faster than WebAssembly, but not a dependency, for its installation needs a
 * network of its own. It serves a model only where it answered like WebAssembly for rows of the model's own contract.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Feature, FeatureContract } from "../../kernel/snapshot.ts";
import { createRowEncoder, type FeatureRow } from "./onnx-columns.ts";
import { type OnnxPackage, type OnnxSession, openOnnxSession } from "./onnx-session.ts";

export interface PreferredSession {
  session: OnnxSession;
  /** The package that serves, and why it is not the faster one. */
  engine: string;
}

/** A variable, for the compiler and the bundler must not look for a package that nobody has to install. */
const packageName: string = "onnxruntime-node";
const importNative = async (): Promise<unknown> => import(packageName);

/** Rejects only where WebAssembly refuses the file: what is wrong with the optional package is said, never thrown. */
export async function openPreferred(
  name: string,
  bytes: Uint8Array,
  contract: FeatureContract,
  clock: Pick<Clock, "monotonic">,
  wanted: boolean,
  importPackage = importNative,
): Promise<PreferredSession> {
  const web = await openOnnxSession(name, bytes, contract, clock);
  const stay = (why: string) => ({ session: web, engine: why ? `onnxruntime-web (${why})` : "onnxruntime-web" });
  if (!wanted) return stay("");
  let found: unknown;
  try {
    found = await importPackage();
  } catch (error) {
    const missing = (error as { code?: unknown } | null)?.code === "ERR_MODULE_NOT_FOUND";
    return stay(missing ? `${packageName} is not installed` : `${packageName} cannot be imported: ${textOf(error)}`);
  }
  const offered = packageOf(found);
  if (offered === undefined) return stay(`${packageName} offers neither InferenceSession nor Tensor`);
  let native: OnnxSession | undefined;
  try {
    native = await openOnnxSession(name, bytes, contract, clock, offered);
    const difference = await differenceOf(name, contract, web, native);
    if (difference === undefined) {
      await web.close();
      return { session: native, engine: packageName };
    }
    await native.close();
    return stay(`${packageName} failed the parity self-test: ${difference}`);
  } catch (error) {
    await native?.close().catch(() => undefined);
    return stay(`${packageName} cannot serve this model: ${textOf(error)}`);
  }
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** CommonJS packages appear whole under `default`, and by name only where Node could read their names. */
function packageOf(found: unknown): OnnxPackage | undefined {
  const outer = found as Partial<OnnxPackage> & { default?: Partial<OnnxPackage> };
  const { InferenceSession, Tensor } = outer.InferenceSession ? outer : (outer.default ?? outer);
  return InferenceSession && Tensor ? { InferenceSession, Tensor, provider: "cpu" } : undefined;
}

const tolerance = 1e-5;
const aloneRows = 8;

/** What differs between two sessions of a model on rows of its contract, together and alone; `undefined` if nothing. */
async function differenceOf(
  name: string,
  contract: FeatureContract,
  web: OnnxSession,
  native: OnnxSession,
): Promise<string | undefined> {
  const encoder = createRowEncoder(name, contract);
  const rows = parityRows(contract);
  const score = (session: OnnxSession, some: readonly FeatureRow[]) =>
    session.run(some.length, (columns) => encoder.fill(columns, some));
  const batches = [rows, ...rows.slice(0, aloneRows).map((row) => [row])];
  for (const batch of batches) {
    const expected = await score(web, batch);
    const given = await score(native, batch);
    const at = expected.findIndex((value, index) => !alike(value, given[index]!));
    if (at >= 0)
      return `sample row ${rows.indexOf(batch[at]!)} of ${rows.length} scored ${given[at]} instead of ${expected[at]}${batch.length === 1 ? " alone" : ""}`;
  }
  return undefined;
}

const alike = (a: number, b: number) =>
  Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));

const randomRows = 48;

/** The same rows every time: both ends and the middle of every range, every null that is allowed, and a mix. */
export function parityRows(contract: FeatureContract): FeatureRow[] {
  const next = minstd();
  const whole = (pick: (feature: Feature) => FeatureRow[string]): FeatureRow =>
    Object.fromEntries(contract.features.map((feature) => [feature.name, pick(feature)]));
  const at = (part: number) => whole((feature) => valueAt(feature, part));
  const middle = at(0.5);
  return [
    middle,
    at(0),
    at(1),
    whole((feature) => (feature.nullable ? null : valueAt(feature, 0.5))),
    ...contract.features.filter(({ nullable }) => nullable).map(({ name }) => ({ ...middle, [name]: null })),
    ...Array.from({ length: randomRows }, () =>
      whole((feature) => (feature.nullable && next() < 0.15 ? null : valueAt(feature, next()))),
    ),
  ];
}

/** `part` of the way from a feature's least to its greatest value. */
function valueAt({ type, values = ["other"], min, max }: Feature, part: number): string | number {
  if (type === "category") return values[Math.min(values.length - 1, Math.floor(part * values.length))]!;
  // Where the contract leaves an end open, a span of a thousand stands for it.
  const least = min ?? (max === undefined ? -1000 : max - 1000);
  const most = max ?? (min === undefined ? 1000 : min + 1000);
  const value = least + part * (most - least);
  return type === "integer" ? Math.min(Math.floor(most), Math.max(Math.ceil(least), Math.round(value))) : value;
}

/** Lehmer's generator with Park and Miller's numbers: enough to spread rows, and the same on every machine. */
function minstd(): () => number {
  let state = 20_261_122;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
