/** What the task formats share when they read: refusals with a path, vectors in their two encodings. */
import { BodyFault } from "../dialects/body-reader.ts";

type Read<Value> = { ok: true } & Value;

/** Runs a reader; what it refuses becomes a value, faults of our own go on. */
export function refusalAsValue<Value extends object>(
  read: () => Value,
): Read<Value> | { ok: false; path: string; message: string } {
  try {
    return { ok: true, ...read() };
  } catch (fault) {
    if (fault instanceof BodyFault) return { ok: false, path: fault.path, message: fault.message };
    throw fault;
  }
}

/** Numbers, or base64 of little-endian 32-bit floats; `undefined` for anything else. */
export function vectorOf(value: unknown): number[] | undefined {
  if (Array.isArray(value))
    return value.length > 0 && value.every((item) => typeof item === "number" && Number.isFinite(item))
      ? (value as number[])
      : undefined;
  if (typeof value !== "string") return undefined;
  const bytes = Buffer.from(value, "base64");
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  const vector = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  return vector.every(Number.isFinite) ? vector : undefined;
}
