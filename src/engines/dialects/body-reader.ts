/** Reads untrusted JSON with a path in hand. A misfit is thrown as BodyFault and turned into a value at the dialect's edge. */
import type { ChatRequest } from "../../kernel/chat.ts";
import type { DecodedRequest } from "./port.ts";

export class BodyFault extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

export type Fields = Record<string, unknown>;

/** Runs a reader; what it refuses becomes a value, faults of our own go on. */
export function refusalsAsValues(read: () => ChatRequest): DecodedRequest {
  try {
    return { ok: true, request: read() };
  } catch (fault) {
    if (fault instanceof BodyFault) return { ok: false, path: fault.path, message: fault.message };
    throw fault;
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function misfit(path: string, expected: string, value: unknown): BodyFault {
  const got =
    value === null ? "null" : Array.isArray(value) ? "an array" : value === undefined ? "nothing" : typeof value;
  return new BodyFault(path, `${path || "body"} must be ${expected}, got ${got}.`);
}

export function fieldsAt(value: unknown, path: string): Fields {
  if (isFields(value)) return value;
  throw misfit(path, "an object", value);
}

const deepest = 200;

/** JSON.stringify can follow it; what a vendor sent beyond that is no answer. */
export const isShallow = (value: unknown): boolean => !isDeeperThan(value, deepest);

/** An object of the client's own making (a schema, a tool's input), no deeper than JSON.stringify can follow. */
export function jsonAt(value: unknown, path: string): Fields {
  const fields = fieldsAt(value, path);
  if (isDeeperThan(fields, deepest)) throw new BodyFault(path, `${path} is nested deeper than ${deepest} levels.`);
  return fields;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const key in value) if (isDeeperThan((value as Fields)[key], levels - 1)) return true;
  return false;
}

export function textAt(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw misfit(path, "a string", value);
}

export function nonEmptyTextAt(value: unknown, path: string): string {
  const text = textAt(value, path);
  if (text === "") throw new BodyFault(path, `${path} must not be empty.`);
  return text;
}

export function listAt(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw misfit(path, "an array", value);
}

export function flagAt(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw misfit(path, "a boolean", value);
}

export function numberAt(value: unknown, path: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw misfit(path, "a number", value);
}

export function integerAt(value: unknown, path: string): number {
  const number = numberAt(value, path);
  if (Number.isInteger(number)) return number;
  throw new BodyFault(path, `${path} must be a whole number, got ${number}.`);
}

export function positiveIntegerAt(value: unknown, path: string): number {
  const number = integerAt(value, path);
  if (number >= 1) return number;
  throw new BodyFault(path, `${path} must be at least 1, got ${number}.`);
}

/** Adds the path of every field of `fields` that carries something and is not `known`. */
export function noteUnmodelled(fields: Fields, known: ReadonlySet<string>, path: string, unmodelled: string[]): void {
  for (const key in fields) {
    if (!known.has(key) && fields[key] !== null && fields[key] !== undefined) unmodelled.push(`${path}.${key}`);
  }
}

/** A field that the vendor may leave out or send in another shape: a string or nothing. */
export const textOr = (value: unknown, fallback: string): string => (typeof value === "string" ? value : fallback);

/** A token count as a vendor reports it; anything but a non-negative number that a double holds exactly counts as unreported. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.floor(value) : undefined;

/** Takes the fields that a vendor refuses out of a body, and names them. */
export function leaveOut(body: Fields, refused: readonly string[] | undefined, dropped: Set<string>): void {
  if (refused === undefined) return;
  for (const field of refused) {
    if (body[field] === undefined) continue;
    delete body[field];
    dropped.add(field);
  }
}
