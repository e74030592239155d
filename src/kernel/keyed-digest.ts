/**
 * HMAC-SHA256 (RFC 2104) with the key's pads prepared once: two one-shot hashes over a buffer that is used again cost a
 * third of an Hmac object, which is made anew for each message.
 */
import { hash } from "node:crypto";

const blockBytes = 64;
const hashBytes = 32;
/** What longer messages need is given back. */
const keptBytes = 64 * 1024;

/** Hex digests under `key` (at most 64 bytes). */
export function keyedDigest(key: Uint8Array): (data: string | Uint8Array) => string {
  if (key.length > blockBytes) throw new RangeError(`a key of ${key.length} bytes is longer than a block`);
  const padded = (byte: number, room: number) => {
    const bytes = Buffer.allocUnsafeSlow(blockBytes + room);
    for (let i = 0; i < blockBytes; i++) bytes[i] = (key[i] ?? 0) ^ byte;
    return bytes;
  };
  const kept = padded(0x36, keptBytes);
  const outer = padded(0x5c, hashBytes);
  return (data) => {
    const most = typeof data === "string" ? data.length * 3 : data.length;
    const inner = most <= keptBytes ? kept : padded(0x36, most);
    let end = blockBytes;
    if (typeof data === "string") end += inner.write(data, blockBytes, "utf8");
    else {
      inner.set(data, blockBytes);
      end += data.length;
    }
    outer.write(hash("sha256", inner.subarray(0, end), "latin1"), blockBytes, "latin1");
    return hash("sha256", outer, "hex");
  };
}
