/** What is done to good wire bytes: flips, cuts, splices, and changes of the JSON within that keep it JSON. */
import type { Random } from "./random.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values that readers of counts, indexes, texts and objects tend to be wrong about. */
const oddValues: readonly Json[] = [
  null,
  true,
  false,
  "",
  "0",
  "null",
  "[DONE]",
  0,
  -0,
  1,
  -1,
  0.5,
  -1.5,
  1e9,
  1e15,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  [],
  {},
  [[]],
  [null],
  [{}],
  "\u0000",
  "\ud800",
  "💶",
  "\r\n\r\n",
  "data: x\n\n",
  "constructor",
  "__proto__",
  "toString",
  "text",
  "error",
  "stop",
  "tool_use",
  "function",
  "assistant",
  "system",
  "user",
];
// A copy: what is put in may be changed itself by the next change.
const oddValue = (random: Random): Json => structuredClone(random.pick(oddValues));
const oddKeys = ["__proto__", "constructor", "toString", "length", "", "error", "type", "index", "usage", "choices"];

export function mutateJson(random: Random, given: Json, donor: Json): Json {
  const copy = structuredClone({ root: given });
  for (let changes = 1 + random.below(3); changes > 0; changes--) changeOnce(random, copy, donor);
  return copy.root;
}

interface Place {
  holder: Record<string, Json>;
  key: string;
}

function placesIn(value: Json, into: Place[]): Place[] {
  if (typeof value !== "object" || value === null || into.length > 4000) return into;
  for (const key of Object.keys(value)) {
    into.push({ holder: value as Record<string, Json>, key });
    placesIn((value as Record<string, Json>)[key]!, into);
  }
  return into;
}

function changeOnce(random: Random, copy: { root: Json }, donor: Json): void {
  const places = placesIn(copy as unknown as Json, []);
  const { holder, key } = random.pick(places);
  const value = holder[key]!;
  switch (random.below(10)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else if (holder !== (copy as unknown)) delete holder[key];
      return;
    case 1:
      set(holder, key, oddValue(random));
      return;
    case 2:
      if (Array.isArray(value)) value.push(...(value.length > 0 ? [structuredClone(random.pick(value))] : [1]));
      else if (typeof value === "object" && value !== null) set(value, random.pick(oddKeys), oddValue(random));
      else set(holder, key, [value]);
      return;
    case 3:
      set(holder, key, typeof value === "string" ? stretched(random, value) : { [random.pick(oddKeys)]: value });
      return;
    case 4: {
      const other = random.pick(places);
      set(holder, key, structuredClone(other.holder[other.key] ?? null));
      return;
    }
    case 5: {
      const gifts = placesIn({ donor }, []);
      const gift = random.pick(gifts);
      if (Array.isArray(holder)) holder.push(structuredClone(gift.holder[gift.key]!));
      else set(holder, gift.key, structuredClone(gift.holder[gift.key]!));
      return;
    }
    case 6:
      set(holder, key, typeof value === "number" ? numberNear(random, value) : oddValue(random));
      return;
    case 7:
      if (Array.isArray(value)) value.reverse();
      else set(holder, key, String(JSON.stringify(value)));
      return;
    case 8:
      set(holder, key, random.chance(0.03) ? nested(random) : [value, structuredClone(value)]);
      return;
    default:
      set(holder, key, oddValue(random));
  }
}

/** `__proto__` as a key of its own, as JSON.parse makes it. */
function set(holder: Record<string, Json> | Json[], key: string, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

const numberNear = (random: Random, value: number): number =>
  random.pick([-value, value + 0.5, value * 1e6, value - 1, value * 2 ** 53, 1 / value]) || 0;

function stretched(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const odd = random.pick([
    "\u0000",
    "\ud83d",
    "\n",
    "\r",
    "\u2028",
    '"',
    "\\",
    "data: [DONE]\n\n",
    "é",
    "🏦",
    "{",
    "}",
  ]);
  return random.chance(0.05) ? text.repeat(1 + random.below(200)) : text.slice(0, at) + odd + text.slice(at);
}

const abyss = "\u0001abyss";

/** A few levels for real; very many only in the text, where our own recursion needn't follow. */
function nested(random: Random): Json {
  if (random.chance(0.3)) return abyss;
  let value: Json = 1;
  for (let depth = random.pick([50, 250]); depth > 0; depth--) value = depth % 2 === 0 ? [value] : { a: value };
  return value;
}

const depth = 20_000;
const abyssText = `${'[{"a":'.repeat(depth)}1${"}]".repeat(depth)}`;

export const textOf = (json: Json): string => JSON.stringify(json).replaceAll(JSON.stringify(abyss), abyssText);

export function mutateBytes(random: Random, given: Uint8Array, donor: Uint8Array): Buffer {
  let bytes: Buffer = Buffer.from(given);
  for (let changes = 1 + random.below(4); changes > 0; changes--) bytes = changeBytes(random, bytes, donor);
  return bytes;
}

function changeBytes(random: Random, bytes: Buffer, donor: Uint8Array): Buffer {
  const at = random.below(bytes.length + 1);
  const until = Math.min(bytes.length, at + random.below(40));
  switch (random.below(8)) {
    case 0:
      if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random.below(8));
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
    case 3: {
      const from = random.below(donor.length + 1);
      return Buffer.concat([
        bytes.subarray(0, at),
        donor.subarray(from, from + random.below(400)),
        bytes.subarray(until),
      ]);
    }
    case 4:
      return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
    case 5:
      if (at < bytes.length) bytes[at] = random.below(256);
      return bytes;
    case 6: {
      const odd = random.pick([
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\ufeff",
        ":",
        "data:",
        "event: error\n",
        "\u0000",
        "data: \n\n",
      ]);
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(odd), bytes.subarray(at)]);
    }
    default:
      return Buffer.from(
        bytes.toString("latin1").replaceAll("\n", random.pick(["\r\n", "\r", "\n", "\n\n"])),
        "latin1",
      );
  }
}
