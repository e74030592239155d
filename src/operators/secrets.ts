/** Tokens and passwords: how they are made, kept and compared. */
import { hash, scrypt, timingSafeEqual } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";

/** 256 bits, base64url: 43 characters. */
export const newToken = (clock: Clock): string => Buffer.from(clock.randomBytes(32)).toString("base64url");

/** Tokens are random, so a plain hash suffices. */
export const tokenHash = (token: string): string => hash("sha256", token, "hex");

export const isToken = (text: string): boolean => /^[\w-]{43}$/.test(text);

export interface ScryptCost {
  n: number;
  r: number;
  p: number;
}

/** OWASP password storage cheat sheet: N = 2^15, r = 8, p = 3 (32 MiB). */
export const strongScrypt: ScryptCost = { n: 2 ** 15, r: 8, p: 3 };

const keyBytes = 32;
export const minPasswordLength = 12;
/** More would only buy an attacker our time. */
export const maxPasswordLength = 256;

function derive(password: string, salt: Uint8Array, { n, r, p }: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 256 * n * r * p + 2 ** 20 };
    scrypt(password.normalize("NFC"), salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** `scrypt$N$r$p$salt$key`, so that the cost can rise without locking anybody out. */
export async function hashPassword(clock: Clock, password: string, cost: ScryptCost): Promise<string> {
  const salt = clock.randomBytes(16);
  const key = await derive(password, salt, cost);
  return ["scrypt", cost.n, cost.r, cost.p, base64(salt), base64(key)].join("$");
}

/** Does the same work for an unknown operator (`stored` absent), and answers false. */
export async function checkPassword(password: string, stored: string | undefined, cost: ScryptCost): Promise<boolean> {
  const match = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w-]+)\$([\w-]+)$/.exec(stored ?? "");
  const used = match ? { n: Number(match[1]), r: Number(match[2]), p: Number(match[3]) } : cost;
  const salt = match ? Buffer.from(match[4]!, "base64url") : Buffer.alloc(16);
  const expected = match ? Buffer.from(match[5]!, "base64url") : Buffer.alloc(keyBytes);
  const key = await derive(password, salt, used);
  return expected.length === key.length && timingSafeEqual(key, expected) && match !== null;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
