/** Records back onto the wire, written independently of the decoders under test: SSE and Amazon's event stream. */
import { crc32 } from "node:zlib";

export interface WireRecord {
  event: string;
  data: string;
}

const sse = ({ event, data }: WireRecord): string =>
  `${event === "" ? "" : `event: ${event}\n`}${data
    .split("\n")
    .map((line) => `data: ${line}\n`)
    .join("")}\n`;

/** One message of `application/vnd.amazon.eventstream`: lengths, their CRC, headers of type string, payload, CRC of all. */
export function amazonMessage(headers: Record<string, string>, payload: Uint8Array): Buffer {
  const heads = Object.entries(headers).map(([name, value]) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(value));
    return Buffer.concat([
      Buffer.from([Buffer.byteLength(name)]),
      Buffer.from(name),
      Buffer.from([7]),
      length,
      Buffer.from(value),
    ]);
  });
  const head = Buffer.concat(heads);
  const total = 12 + head.length + payload.length + 4;
  const message = Buffer.alloc(total);
  message.writeUInt32BE(total, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  head.copy(message, 12);
  message.set(payload, 12 + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, total - 4)), total - 4);
  return message;
}

const amazon = ({ event, data }: WireRecord): Buffer =>
  amazonMessage(
    { ":event-type": event, ":content-type": "application/json", ":message-type": "event" },
    Buffer.from(data),
  );

/** `streamType` as the dialect names it. */
export function onWire(records: readonly WireRecord[], streamType: string): Buffer {
  return streamType.includes("amazon.eventstream")
    ? Buffer.concat(records.map(amazon))
    : Buffer.from(records.map(sse).join(""));
}
