/**
 * HMAC-SHA256 (RFC 2104) with the key's pads prepared once: two one-shot hashes cost half of an Hmac object, which is
 * made anew for each message.
 */
import { hash } from "node:crypto";

const blockBytes = 64;

/** Hex digests under `key` (at most 64 bytes). */
export function keyedDigest(key: Uint8Array): (data: string | Uint8Array) => string {
  if (key.length > blockBytes) throw new RangeError(`a key of ${key.length} bytes is longer than a block`);
  const pad = (byte: number) => Buffer.from(Uint8Array.from({ length: blockBytes }, (_, i) => (key[i] ?? 0) ^ byte));
  const [inner, outer] = [pad(0x36), pad(0x5c)];
  return (data) => {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    return hash("sha256", Buffer.concat([outer, hash("sha256", Buffer.concat([inner, bytes]), "buffer")]), "hex");
  };
}
