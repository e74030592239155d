/**
 * One frame is what one write puts on disk and what a crash can tear: 4 bytes of magic, type, three zeros, length,
 * CRC-32 over everything but magic and CRC itself (little-endian), then the payload. A group commit is one frame, so
 * whatever a power cut does to its sectors, at most the last frame of a file is affected.
 */
import { crc32 } from "node:zlib";

export const frameTypes = { segment: 1, batch: 2, keys: 3 } as const;
export const frameHeaderBytes = 16;
/** Larger than any batch: a length beyond it is damage, not data. */
const maxPayloadBytes = 1 << 30;
// The high bit and the control byte keep it out of JSON text and UTF-8.
const magic = Buffer.from([0xf1, 0x57, 0x4a, 0x01]);

export interface Frame {
  type: number;
  payload: Buffer;
  /** Offset of the byte after it. */
  end: number;
}
export type Parsed = Frame | { bad: "short"; needed: number } | { bad: "damaged"; why: string };

export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const checksum = (frame: Buffer): number => crc32(frame.subarray(frameHeaderBytes), crc32(frame.subarray(4, 12)));

/** Fills in the header of a frame whose payload already stands behind it. */
export function finishFrame(frame: Buffer, type: number): void {
  magic.copy(frame, 0);
  frame.writeUInt32LE(type, 4);
  frame.writeUInt32LE(frame.length - frameHeaderBytes, 8);
  frame.writeUInt32LE(checksum(frame), 12);
}

export function frameOf(type: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  frame.set(payload, frameHeaderBytes);
  finishFrame(frame, type);
  return frame;
}

export function parseFrame(bytes: Buffer, at: number): Parsed {
  if (bytes.length - at < frameHeaderBytes) return { bad: "short", needed: frameHeaderBytes };
  if (bytes.compare(magic, 0, 4, at, at + 4) !== 0) return { bad: "damaged", why: "no frame starts here" };
  const length = bytes.readUInt32LE(at + 8);
  if (length === 0 || length > maxPayloadBytes) return { bad: "damaged", why: `frame length ${length} is impossible` };
  const end = at + frameHeaderBytes + length;
  if (end > bytes.length) return { bad: "short", needed: frameHeaderBytes + length };
  const frame = bytes.subarray(at, end);
  if (checksum(frame) !== frame.readUInt32LE(12)) return { bad: "damaged", why: "checksum differs" };
  return { type: frame.readUInt32LE(4), payload: frame.subarray(frameHeaderBytes), end };
}

/** Offset of the first whole, valid frame at or after `from`; -1 when none. */
export function findFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (!("bad" in parseFrame(bytes, at))) return at;
  }
  return -1;
}
