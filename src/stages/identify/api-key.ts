/**
 * API keys: `wr_<env>_<id>_<secret>_<crc>`. The prefix lets secret scanners find leaked keys, the CRC-32 lets a typo be
 * told from a forged key without a lookup, and the secret (160 bits) is kept as an HMAC only.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Clock } from "../../kernel/clock.ts";
import { randomToken } from "../../kernel/ids.ts";
import { type Environment, environments } from "../../kernel/principal.ts";

export interface ParsedKey {
  environment: Environment;
  id: string;
  secret: string;
}

const shape = /^wr_(dev|test|prod)_([0-9a-z]{12})_([0-9a-z]{32})_([0-9a-f]{8})$/;

const checksum = (body: string): string => crc32(body).toString(16).padStart(8, "0");

/** `undefined` when the text is not a whole, correctly copied key. */
export function parseApiKey(text: string): ParsedKey | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  if (checksum(text.slice(0, -9)) !== match[4]) return undefined;
  return { environment: match[1] as Environment, id: match[2]!, secret: match[3]! };
}

export function makeApiKey(clock: Clock, environment: Environment): ParsedKey & { text: string } {
  if (!environments.includes(environment)) throw new RangeError(`unknown environment ${String(environment)}`);
  const id = randomToken(clock, 12);
  const secret = randomToken(clock, 32);
  const body = `wr_${environment}_${id}_${secret}`;
  return { environment, id, secret, text: `${body}_${checksum(body)}` };
}

export const secretHmac = (pepper: Uint8Array, secret: string): string =>
  createHmac("sha256", pepper).update(secret).digest("hex");

export function sameHmac(a: string, b: string): boolean {
  const left = Buffer.from(a, "hex");
  const right = Buffer.from(b, "hex");
  return left.length === right.length && left.length > 0 && timingSafeEqual(left, right);
}
