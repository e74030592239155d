/** An inference request's JSON → rows of features. Strict about the protocol; what values may be is the contract's business. */
import { z } from "zod";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { Feature, FeatureContract } from "../../kernel/snapshot.ts";
import { Tail, elementsOf, headLengthHeader } from "./binary.ts";
import { datatypeOf, datatypes, readerOf } from "./datatypes.ts";
import { type OutputName, outputNames } from "./metadata.ts";

export interface InferRequest {
  id?: string;
  /** One object per row, with every feature of the contract. */
  rows: Record<string, unknown>[];
  /** What the client wants to see, in its order. */
  outputs: readonly { name: OutputName; binary: boolean }[];
  /** Paths of parameters that Weir knows no meaning of and has left out. */
  dropped: string[];
}

/** Each row is a decision of its own, made and recorded one after the other. */
const maxRows = 256;
const maxShown = 12;

const parameters = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()], "must be a string, a number or a boolean"))
  .optional();
const tensor = z.strictObject({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  datatype: z.enum(datatypes),
  parameters,
  // Looked at element by element below; absent in the binary form.
  data: z.unknown().optional(),
});
const output = z.strictObject({ name: z.enum(outputNames), parameters });
const inferRequest = z.strictObject({
  id: z.string().optional(),
  parameters,
  inputs: z.array(tensor).min(1),
  outputs: z.array(output).min(1, "must name at least one output; leave the field out for all of them").optional(),
});
type Body = z.infer<typeof inferRequest>;
type Tensor = z.infer<typeof tensor>;

const wrong = (path: string, what: string): Refusal =>
  refuse("invalid_request", `${path || "The body"}: ${what}`.slice(0, 500), { param: path.slice(0, 200) || "body" });

/** `tail` holds what stands behind the JSON head, where the request has one. */
export function decodeRequest(value: unknown, contract: FeatureContract, tail?: Buffer): InferRequest | Refusal {
  const parsed = inferRequest.safeParse(value, {
    error: (issue) => (issue.input === undefined ? "is missing" : undefined),
  });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return wrong(pathText(path), message);
  }
  const body = parsed.data;
  const refusal = repeatedOutput(body);
  if (refusal) return refusal;
  const bytes = new Tail(tail ?? Buffer.alloc(0));
  const rows = rowsOf(body.inputs, contract, bytes);
  if (isRefusal(rows)) return rows;
  if (bytes.left > 0) return wrong(headLengthHeader, `${bytes.left} bytes behind the head belong to no input`);
  const all = body.parameters?.["binary_data_output"] === true;
  return {
    rows,
    outputs: (body.outputs ?? outputNames.map((name) => ({ name, parameters: undefined }))).map(
      ({ name, parameters: asked }) => ({ name, binary: (asked?.["binary_data"] ?? all) === true }),
    ),
    dropped: droppedParameters(body),
    ...(body.id !== undefined && { id: body.id }),
  };
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text && "."}${String(key)}`),
    "",
  );

/** Raw binary: the whole body is the one value of a model's one input. */
export function decodeRaw(tail: Buffer, contract: FeatureContract): InferRequest | Refusal {
  const [only, ...others] = contract.features;
  if (!only || others.length > 0)
    return wrong(headLengthHeader, `a raw body is for models of one input; this one has ${contract.features.length}`);
  const input = { name: only.name, shape: [1, 1], datatype: datatypeOf(only) };
  // A text needs no length of its own here: the body is all of it.
  const value = only.type === "category" ? [tail.toString("utf8")] : elementsOf(input.datatype, tail, 1);
  if (typeof value === "string") return wrong("The body", value);
  const column = columnOf({ ...input, parameters: undefined, data: value }, only, "The body", true);
  if (isRefusal(column)) return column;
  const outputs = outputNames.map((name) => ({ name, binary: true }));
  return { rows: [{ [only.name]: column[0] }], outputs, dropped: [] };
}

function repeatedOutput(body: Body): Refusal | undefined {
  const names = body.outputs?.map((wanted) => wanted.name) ?? [];
  const at = names.findIndex((name, i) => names.indexOf(name) !== i);
  return at < 0 ? undefined : wrong(`outputs[${at}].name`, `"${names[at]}" is asked for twice`);
}

function rowsOf(inputs: readonly Tensor[], contract: FeatureContract, tail: Tail): Record<string, unknown>[] | Refusal {
  const features = new Map(contract.features.map((feature) => [feature.name, feature]));
  const columns = new Map<string, readonly unknown[]>();
  for (const [i, input] of inputs.entries()) {
    const feature = features.get(input.name);
    if (!feature) return unknownInput(contract, input.name, `inputs[${i}].name`);
    if (columns.has(input.name)) return wrong(`inputs[${i}].name`, `"${input.name}" is sent twice`);
    const size = input.parameters?.["binary_data_size"];
    const sent = size === undefined ? input : withBytes(input, size, tail, `inputs[${i}]`);
    if (isRefusal(sent)) return sent;
    const column = columnOf(sent, feature, `inputs[${i}]`, size !== undefined);
    if (isRefusal(column)) return column;
    columns.set(input.name, column);
  }
  const missing = contract.features.filter((feature) => !columns.has(feature.name)).map((feature) => feature.name);
  if (missing.length > 0) return wrong("inputs", `missing ${shown(missing)}; send one input per feature`);
  const counts = new Set([...columns.values()].map((column) => column.length));
  if (counts.size > 1) return wrong("inputs", "shapes differ in their number of rows; all inputs have the same");
  const [count] = counts;
  return Array.from({ length: count! }, (_, row) =>
    Object.fromEntries([...columns].map(([name, column]) => [name, column[row]])),
  );
}

function unknownInput(contract: FeatureContract, name: string, path: string): Refusal {
  if (contract.protectedFeatures.some((feature) => feature.name === name))
    return refuse(
      "unsupported_feature",
      `${path}: "${name}" is a protected feature, which this protocol does not carry; leave it out, or send it under \`protected\` to POST /v1/decisions/{use_case}.`,
      { param: path },
    );
  const known = contract.features.map((feature) => feature.name);
  return wrong(path, `"${name.slice(0, 64)}" is not an input; the inputs are ${shown(known)}`);
}

const shown = (names: readonly string[]): string =>
  names.slice(0, maxShown).join(", ") + (names.length > maxShown ? ", …" : "");

/** The tensor with its elements read from the tail. */
function withBytes(input: Tensor, size: unknown, tail: Tail, path: string): Tensor | Refusal {
  const at = `${path}.parameters.binary_data_size`;
  if (input.data !== undefined) return wrong(`${path}.data`, "stands beside binary_data_size; send one of them");
  if (typeof size !== "number" || !Number.isInteger(size) || size < 0)
    return wrong(at, "must be a whole number of bytes");
  const bytes = tail.take(size);
  if (!bytes) return wrong(at, `says ${size} bytes, of which fewer stand behind the head`);
  const data = elementsOf(
    input.datatype,
    bytes,
    input.shape.reduce((product, length) => product * length, 1),
  );
  return typeof data === "string" ? wrong(at, data) : { ...input, data };
}

/** One value per row, each exact in the feature's type, or why not. */
function columnOf(input: Tensor, feature: Feature, path: string, binary: boolean): readonly unknown[] | Refusal {
  const reader = readerOf(feature, input.datatype, binary);
  if (typeof reader !== "function") return wrong(`${path}.datatype`, `${feature.name} ${reader.unfit}`);
  const [count, width] = input.shape;
  if (input.shape.length !== 2 || width !== 1 || count! < 1 || count! > maxRows)
    return wrong(`${path}.shape`, `must be [rows, 1] with 1 to ${maxRows} rows`);
  const flat = flatten(input.data, count!, path);
  if (isRefusal(flat)) return flat;
  for (const [row, value] of flat.entries()) {
    // Where null is allowed is the contract's business, as are ranges and categories.
    const broken = value === null ? undefined : reader(value);
    if (broken !== undefined) return wrong(`${path}.data[${row}]`, `${feature.name} ${broken}`);
  }
  return flat;
}

/** Data is flat, or nested as the shape says; never a mixture of both. */
function flatten(data: unknown, count: number, path: string): readonly unknown[] | Refusal {
  if (data === undefined) return wrong(`${path}.data`, "is missing");
  if (!Array.isArray(data)) return wrong(`${path}.data`, "must be an array");
  if (data.length !== count)
    return wrong(`${path}.data`, `has ${data.length} elements where shape [${count}, 1] has ${count}`);
  const isNested = Array.isArray(data[0]);
  const values: unknown[] = isNested ? [] : data;
  for (const [row, element] of data.entries()) {
    if (Array.isArray(element) !== isNested || (isNested && element.length !== 1))
      return wrong(
        `${path}.data[${row}]`,
        `does not fit shape [${count}, 1]; data is flat, or one array of one element per row`,
      );
    if (isNested) values.push(element[0]);
  }
  return values;
}

function droppedParameters(body: Body): string[] {
  const sources: readonly (readonly [string, Record<string, unknown> | undefined])[] = [
    ["parameters", body.parameters],
    ...body.inputs.map((input, i) => [`inputs[${i}].parameters`, input.parameters] as const),
    ...(body.outputs ?? []).map((wanted, i) => [`outputs[${i}].parameters`, wanted.parameters] as const),
  ];
  return sources.flatMap(([path, given]) =>
    Object.keys(given ?? {})
      .filter((name) => name !== "binary_data" && name !== "binary_data_output" && name !== "binary_data_size")
      .map((name) => `${path}.${name.slice(0, 64)}`),
  );
}
