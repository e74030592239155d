/** Chance from a seed: the same on every start. */
export type Draw = () => number;

/** mulberry32 */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

export function fakeId(prefix: string, draw: Draw, atMs: number): string {
  let head = "";
  for (let time = atMs, i = 0; i < 10; i++, time = Math.floor(time / 32)) head = alphabet[time % 32] + head;
  let tail = "";
  for (let i = 0; i < 16; i++) tail += alphabet[Math.floor(draw() * 32)];
  return `${prefix}_${head}${tail}`;
}

export const hex = (draw: Draw, length: number): string =>
  Array.from({ length }, () => Math.floor(draw() * 16).toString(16)).join("");

export const pick = <T>(draw: Draw, from: readonly T[]): T => from[Math.floor(draw() * from.length)]!;
/** Log-normal around a median: how latencies fall. */
export const spread = (draw: Draw, median: number, sigma: number): number =>
  median * Math.exp(sigma * Math.sqrt(-2 * Math.log(draw() + 1e-12)) * Math.cos(2 * Math.PI * draw()));
export const round3 = (value: number): number => Math.round(value * 1000) / 1000;
