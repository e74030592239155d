/** Branded identifiers. Ids sort by creation time (48-bit milliseconds, then 80 random bits) in Crockford base 32. */
import type { Clock } from "./clock.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type DecisionId = Branded<"DecisionId">;
export type OperatorId = Branded<"OperatorId">;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** 26 characters: 10 of time, 16 of randomness. */
function sortableId(clock: Clock): string {
  let time = clock.now();
  let head = "";
  for (let i = 0; i < 10; i++) {
    head = alphabet[time % 32] + head;
    time = Math.floor(time / 32);
  }
  const random = clock.randomBytes(16);
  let tail = "";
  for (let i = 0; i < 16; i++) tail += alphabet[random[i]! & 31];
  return head + tail;
}

export const newDecisionId = (clock: Clock): DecisionId => `dec_${sortableId(clock)}` as DecisionId;
export const newOperatorId = (clock: Clock): OperatorId => `op_${sortableId(clock)}` as OperatorId;

/** `count` characters of base 32, 5 bits of entropy each. */
export function randomToken(clock: Clock, count: number): string {
  const random = clock.randomBytes(count);
  let text = "";
  for (let i = 0; i < count; i++) text += alphabet[random[i]! & 31];
  return text;
}
export const isDecisionId = (text: string): text is DecisionId => /^dec_[0-9a-hjkmnp-tv-z]{26}$/.test(text);

/** When an id was made, epoch milliseconds. */
export function timeOf(id: DecisionId): number {
  let time = 0;
  for (const digit of id.slice(4, 14)) time = time * 32 + alphabet.indexOf(digit);
  return time;
}
