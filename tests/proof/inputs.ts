/** The input with a number: which seed, which change. Made again from target, run seed and number alone. */
import { onWire } from "./frames.ts";
import { type Json, mutateBytes, mutateJson, textOf } from "./mutate.ts";
import { type Random, randomFrom } from "./random.ts";
import type { Target } from "./target.ts";

export interface Input {
  bytes: Uint8Array;
  salt: number;
}

export function inputOf(target: Target, runSeed: number, number: number): Input {
  const salt = (Math.imul(runSeed, 0x01000193) ^ Math.imul(number + 1, 0x9e3779b1)) >>> 0;
  const random = randomFrom(salt);
  return { bytes: target.shape === "json" ? body(target, random) : stream(target, random), salt };
}

const parse = (bytes: Uint8Array): Json | undefined => {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Json;
  } catch {
    return undefined;
  }
};

function body(target: Target, random: Random): Uint8Array {
  const seed = random.pick(target.seeds);
  const donor = random.pick(target.seeds);
  const json = parse(seed);
  if (json === undefined || random.chance(0.05)) return mutateBytes(random, seed, donor);
  return Buffer.from(textOf(mutateJson(random, json, parse(donor) ?? null)));
}

function stream(target: Target, random: Random): Uint8Array {
  const seed = random.pick(target.seeds);
  const donor = random.pick(target.seeds);
  if (random.chance(0.3)) return mutateBytes(random, seed, donor);
  const records = target.recordsOf?.(seed);
  if (!records || records.length === 0) return mutateBytes(random, seed, donor);
  const gifts = target.recordsOf?.(donor) ?? records;
  const changed = records.map((record) => ({ ...record }));
  for (let changes = 1 + random.below(3); changes > 0; changes--) changeRecords(random, changed, gifts);
  const bytes = onWire(changed, target.streamType ?? "text/event-stream");
  return random.chance(0.1) ? mutateBytes(random, bytes, donor) : bytes;
}

type Records = { event: string; data: string }[];

function changeRecords(random: Random, records: Records, gifts: Records): void {
  const at = random.below(records.length);
  const record = records[at];
  if (!record) return void records.push({ ...random.pick(gifts) });
  switch (random.below(8)) {
    case 0:
      return void records.splice(at, 1);
    case 1:
      return void records.splice(at, 0, { ...record });
    case 2: {
      const other = random.below(records.length);
      [records[at], records[other]] = [records[other]!, record];
      return;
    }
    case 3:
      return void records.splice(at, 0, { ...random.pick(gifts) });
    case 4:
      return void records.splice(at);
    default:
      record.data = changedData(random, record.data, gifts);
  }
}

function changedData(random: Random, data: string, gifts: Records): string {
  // Changed before, and now deeper than our own recursion goes.
  const json = data.length > 100_000 ? undefined : parse(Buffer.from(data));
  if (json === undefined) return random.chance(0.5) ? `${data} ` : data.slice(0, random.below(data.length + 1));
  const donor = parse(Buffer.from(random.pick(gifts).data)) ?? null;
  return textOf(mutateJson(random, json, donor));
}
