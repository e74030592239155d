/** Which of the protocol's datatypes fit a feature, and which values of them JSON carries without loss. */
import type { Feature } from "../../kernel/snapshot.ts";

export const datatypes = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
] as const;
export type Datatype = (typeof datatypes)[number];

/** The datatype that metadata names for a feature. */
export const datatypeOf = (feature: Feature): Datatype => byType[feature.type];
const byType: Record<Feature["type"], Datatype> = { number: "FP64", integer: "INT64", category: "BYTES" };

/** Returns what is wrong with a value, or undefined. Only called for values that are not null. */
export type Reader = (value: unknown) => string | undefined;

// A JSON number is a double: integers beyond 2^53 - 1 may have been rounded before anyone could look at them.
const exact = Number.MAX_SAFE_INTEGER;
const integerRanges: Partial<Record<Datatype, readonly [min: number, max: number]>> = {
  UINT8: [0, 0xff],
  UINT16: [0, 0xffff],
  UINT32: [0, 0xffff_ffff],
  UINT64: [0, exact],
  INT8: [-0x80, 0x7f],
  INT16: [-0x8000, 0x7fff],
  INT32: [-0x8000_0000, 0x7fff_ffff],
  INT64: [-exact, exact],
};

/** How a tensor of this datatype is read as the feature; `unfit` says why it can't be without loss. */
export function readerOf(feature: Feature, datatype: Datatype, binary: boolean): Reader | { unfit: string } {
  if (feature.type === "category")
    return datatype === "BYTES" ? readText : { unfit: `is a category; send BYTES, not ${datatype}` };
  const range = integerRanges[datatype];
  if (range) return integerReader(datatype, ...range);
  if (datatype === "FP64") return readDouble;
  if (datatype === "FP32") return readSingle;
  if (datatype === "FP16" && binary) return readDouble;
  if (datatype === "FP16")
    return { unfit: "can't be sent as FP16 in JSON, which has no exact form of it; send bytes, FP32 or FP64" };
  return {
    unfit: `is ${feature.type === "integer" ? "an integer" : "a number"}; send ${datatypeOf(feature)}, not ${datatype}`,
  };
}

const readText: Reader = (value) => (typeof value === "string" ? undefined : "must be a string");

// Infinity is what JSON.parse makes of 1e999.
const readDouble: Reader = (value) =>
  typeof value === "number" && Number.isFinite(value) ? undefined : "must be a finite number";

/** The value is used as given: only what FP32 can't hold at all is refused. */
const readSingle: Reader = (value) =>
  typeof value === "number" && Number.isFinite(Math.fround(value)) ? undefined : "must be a finite number within FP32";

function integerReader(datatype: Datatype, min: number, max: number): Reader {
  const wanted = `must be an integer from ${min} to ${max}`;
  const note = max === exact ? ` (${datatype} beyond that is not exact in JSON)` : "";
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max ? undefined : wanted + note;
}
