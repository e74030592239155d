/** An inference request's JSON → rows of features. Strict about the protocol; what values may be is the contract's business. */
import { z } from "zod";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { Feature, FeatureContract } from "../../kernel/snapshot.ts";
import { datatypes, readerOf } from "./datatypes.ts";
import { type OutputName, outputNames } from "./metadata.ts";

export interface InferRequest {
  id?: string;
  /** One object per row, with every feature of the contract. */
  rows: Record<string, unknown>[];
  /** What the client wants to see, in its order. */
  outputs: readonly OutputName[];
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
  // Looked at element by element below; absent in the binary form, which has its own refusal.
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

export function decodeRequest(value: unknown, contract: FeatureContract): InferRequest | Refusal {
  const parsed = inferRequest.safeParse(value, {
    error: (issue) => (issue.input === undefined ? "is missing" : undefined),
  });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return wrong(pathText(path), message);
  }
  const body = parsed.data;
  const refusal = binaryRefusal(body) ?? repeatedOutput(body);
  if (refusal) return refusal;
  const rows = rowsOf(body.inputs, contract);
  if (isRefusal(rows)) return rows;
  return {
    rows,
    outputs: body.outputs?.map((wanted) => wanted.name) ?? outputNames,
    dropped: droppedParameters(body),
    ...(body.id !== undefined && { id: body.id }),
  };
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text && "."}${String(key)}`),
    "",
  );

/** Clients of the binary extension mean bytes, not JSON: they are told, never half understood. */
function binaryRefusal(body: Body): Refusal | undefined {
  const asked = [
    ...body.inputs.map((input, i) => [
      `inputs[${i}].parameters.binary_data_size`,
      input.parameters?.["binary_data_size"],
    ]),
    ...(body.outputs ?? []).map((wanted, i) => [
      `outputs[${i}].parameters.binary_data`,
      wanted.parameters?.["binary_data"],
    ]),
    ["parameters.binary_data_output", body.parameters?.["binary_data_output"]],
  ] as const;
  const found = asked.find(([, given]) => given !== undefined && given !== false);
  return found && binaryNotYet(String(found[0]));
}

export const binaryNotYet = (param: string): Refusal =>
  refuse("not_implemented", `${param}: binary tensors are not supported yet; send and ask for data as JSON.`, {
    param,
  });

function repeatedOutput(body: Body): Refusal | undefined {
  const names = body.outputs?.map((wanted) => wanted.name) ?? [];
  const at = names.findIndex((name, i) => names.indexOf(name) !== i);
  return at < 0 ? undefined : wrong(`outputs[${at}].name`, `"${names[at]}" is asked for twice`);
}

function rowsOf(inputs: readonly Tensor[], contract: FeatureContract): Record<string, unknown>[] | Refusal {
  const features = new Map(contract.features.map((feature) => [feature.name, feature]));
  const columns = new Map<string, readonly unknown[]>();
  for (const [i, input] of inputs.entries()) {
    const feature = features.get(input.name);
    if (!feature) return unknownInput(contract, input.name, `inputs[${i}].name`);
    if (columns.has(input.name)) return wrong(`inputs[${i}].name`, `"${input.name}" is sent twice`);
    const column = columnOf(input, feature, `inputs[${i}]`);
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

/** One value per row, each exact in the feature's type, or why not. */
function columnOf(input: Tensor, feature: Feature, path: string): readonly unknown[] | Refusal {
  const reader = readerOf(feature, input.datatype);
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
