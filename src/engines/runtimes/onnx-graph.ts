/**
 * What an ONNX file asks of the runtime, read from its protobuf before any native code sees it. Refused are graphs whose
 * score could not be replayed (random operators), whose time is not bounded by their size (loops), or that reach outside
 * the file (external data, foreign operators). Field numbers are those of onnx.proto3.
 */

const unreplayable = new Set([
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Multinomial",
  "Bernoulli",
]);
const unbounded = new Set(["Loop", "Scan"]);
/** Empty is ONNX's own operator set under its usual name. */
const domains = new Set(["", "ai.onnx", "ai.onnx.ml"]);
const maxGraphDepth = 16;

const model = { graph: 7, functions: 25 };
const graph = { node: 1, initializer: 5, sparseInitializer: 15 };
const node = { opType: 4, attribute: 5, domain: 7 };
const attribute = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 };
const tensor = { name: 8, externalData: 13, dataLocation: 14 };
const sparse = { values: 1, indices: 2 };

/** Throws an Error that says what in the graph is refused and what to do. */
export function refuseUnsafeGraph(bytes: Uint8Array): void {
  let graphs = 0;
  for (const field of fields(bytes)) {
    if (field.number === model.functions && field.bytes)
      throw new Error("the graph defines functions of its own; export it with functions inlined");
    if (field.number !== model.graph || !field.bytes) continue;
    graphs++;
    walkGraph(field.bytes, 0);
  }
  if (graphs !== 1) throw new Error("the file holds no graph; it is not an ONNX model or was cut off");
}

function walkGraph(bytes: Uint8Array, depth: number): void {
  if (depth > maxGraphDepth) throw new Error(`the graph nests branches more than ${maxGraphDepth} deep`);
  for (const field of fields(bytes)) {
    if (!field.bytes) continue;
    if (field.number === graph.node) walkNode(field.bytes, depth);
    else if (field.number === graph.initializer) refuseExternal(field.bytes);
    else if (field.number === graph.sparseInitializer) refuseExternalSparse(field.bytes);
  }
}

function walkNode(bytes: Uint8Array, depth: number): void {
  let op = "";
  let domain = "";
  for (const field of fields(bytes)) {
    if (!field.bytes) continue;
    if (field.number === node.opType) op = text(field.bytes);
    else if (field.number === node.domain) domain = text(field.bytes);
    else if (field.number === node.attribute) walkAttribute(field.bytes, depth);
  }
  if (!domains.has(domain))
    throw new Error(
      `operator ${shown(domain)}.${shown(op)} is not one of ONNX's own; export with ai.onnx and ai.onnx.ml only`,
    );
  if (unreplayable.has(op))
    throw new Error(`operator ${op} draws random numbers, so no score could be replayed; remove it`);
  if (unbounded.has(op))
    throw new Error(`operator ${op} runs for as long as the data says; export the model without loops`);
}

function walkAttribute(bytes: Uint8Array, depth: number): void {
  for (const { number, bytes: value } of fields(bytes)) {
    if (!value) continue;
    if (number === attribute.graph || number === attribute.graphs) walkGraph(value, depth + 1);
    else if (number === attribute.tensor || number === attribute.tensors) refuseExternal(value);
    else if (number === attribute.sparseTensor || number === attribute.sparseTensors) refuseExternalSparse(value);
  }
}

function refuseExternalSparse(bytes: Uint8Array): void {
  for (const field of fields(bytes))
    if (field.bytes && (field.number === sparse.values || field.number === sparse.indices)) refuseExternal(field.bytes);
}

function refuseExternal(bytes: Uint8Array): void {
  let name = "";
  let external = false;
  for (const field of fields(bytes)) {
    if (field.number === tensor.name && field.bytes) name = text(field.bytes);
    else if (field.number === tensor.externalData) external = true;
    else if (field.number === tensor.dataLocation) external ||= field.varint !== 0;
  }
  if (external)
    throw new Error(`weights ${shown(name)} lie outside the file; save the model with its data inside (one file)`);
}

interface Field {
  number: number;
  varint?: number;
  /** A view of a length-delimited field's bytes. */
  bytes?: Uint8Array;
}

function* fields(bytes: Uint8Array): Generator<Field> {
  const at = { offset: 0 };
  while (at.offset < bytes.length) {
    const key = varint(bytes, at);
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (number === 0) throw cutOff();
    if (wire === 0) yield { number, varint: varint(bytes, at) };
    else if (wire === 2) {
      const length = varint(bytes, at);
      const end = at.offset + length;
      if (end > bytes.length) throw cutOff();
      yield { number, bytes: bytes.subarray(at.offset, end) };
      at.offset = end;
    } else if (wire === 1 || wire === 5) {
      at.offset += wire === 1 ? 8 : 4;
      if (at.offset > bytes.length) throw cutOff();
    } else throw cutOff();
  }
}

/** Values above 2^53 lose their low bits, which matters for none of the fields read here. */
function varint(bytes: Uint8Array, at: { offset: number }): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[at.offset++];
    if (byte === undefined) throw cutOff();
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw cutOff();
}

const cutOff = () => new Error("the file is not an ONNX model, is damaged or was cut off; export or copy it again");
const decoder = new TextDecoder();
const text = (bytes: Uint8Array) => decoder.decode(bytes);
/** Names come from the file: bounded and printable in messages. */
const shown = (name: string) => name.slice(0, 80).replace(/[^\w.:/-]/g, "?") || "(unnamed)";
