/**
 * The binary tensor extension (Open Inference Protocol, `binary_tensor_data`): the JSON head's length stands in
 * `Inference-Header-Content-Length`, behind it lie tensors in the order in which the head names them. Little-endian,
 * row-major, without padding; a BYTES element is its length (uint32) and its bytes.
 */
import { isUtf8 } from "node:buffer";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Datatype } from "./datatypes.ts";

export const headLengthHeader = "inference-header-content-length";

const torn = (what: string): Refusal => refuse("invalid_request", what, { param: headLengthHeader });

/** Head and tail of a body; `head` is undefined for raw binary, where the whole body is one tensor. */
export function splitBody(body: Buffer, declared: string): { head?: Buffer; tail: Buffer } | Refusal {
  if (!/^\d{1,10}$/.test(declared)) return torn(`${headLengthHeader} must be a whole number of bytes.`);
  const length = Number(declared);
  if (length > body.length)
    return torn(`${headLengthHeader} says ${length} bytes, and the body has ${body.length} in all.`);
  const tail = body.subarray(length);
  return length === 0 ? { tail } : { head: body.subarray(0, length), tail };
}

/** Hands out the tail piece by piece; what is left over at the end was sent for nothing. */
export class Tail {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(size: number): Buffer | undefined {
    if (this.#at + size > this.#bytes.length) return undefined;
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }
}

type FixedDatatype = Exclude<Datatype, "BYTES">;

const widths: Record<FixedDatatype, number> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
};

const readers: Record<FixedDatatype, (view: DataView, at: number) => unknown> = {
  BOOL: (view, at) => view.getUint8(at),
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => exact(view.getBigUint64(at, true)),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => exact(view.getBigInt64(at, true)),
  FP16: (view, at) => missing(view.getFloat16(at, true)),
  FP32: (view, at) => missing(view.getFloat32(at, true)),
  FP64: (view, at) => missing(view.getFloat64(at, true)),
};

/** NaN is how binary tensors say that a value is missing: JSON says null. */
const missing = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** What a double can't hold stays a bigint, and is refused by the feature's reader instead of being rounded. */
const exact = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

/** `count` elements, or what is wrong with the bytes. */
export function elementsOf(datatype: Datatype, bytes: Buffer, count: number): unknown[] | string {
  if (datatype === "BYTES") return textsOf(bytes, count);
  const width = widths[datatype];
  if (bytes.length !== count * width)
    return `has ${bytes.length} bytes where ${count} elements of ${datatype} have ${count * width}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => readers[datatype](view, i * width));
}

function textsOf(bytes: Buffer, count: number): string[] | string {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : Infinity;
    if (at + 4 + length > bytes.length) return `ends within its element ${texts.length}`;
    const text = bytes.subarray(at + 4, at + 4 + length);
    if (!isUtf8(text)) return `holds an element that is not UTF-8 (${texts.length})`;
    texts.push(text.toString("utf8"));
    at += 4 + length;
  }
  return texts.length === count ? texts : `has ${texts.length} elements where the shape has ${count}`;
}

/** An output's values as bytes; a score that nobody made is NaN. */
export function bytesOf(datatype: "FP64" | "BYTES", values: readonly unknown[]): Buffer {
  if (datatype === "FP64") {
    const out = Buffer.alloc(values.length * 8);
    for (const [i, value] of values.entries()) out.writeDoubleLE(typeof value === "number" ? value : Number.NaN, i * 8);
    return out;
  }
  return Buffer.concat(
    values.flatMap((value) => {
      const text = Buffer.from(String(value));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }),
  );
}
