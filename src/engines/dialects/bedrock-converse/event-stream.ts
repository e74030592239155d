/** AWS's binary event streams (application/vnd.amazon.eventstream) as records; both checksums of every message are checked. */
import { crc32 } from "node:zlib";
import type { RecordDecoder, StreamRecord } from "../port.ts";

export const eventStreamType = "application/vnd.amazon.eventstream";

class EventStreamBroken extends Error {
  constructor(reason: string) {
    super(`The vendor's event stream is broken: ${reason}.`);
    this.name = "EventStreamBroken";
  }
}

/** Two lengths and their checksum. */
const preludeBytes = 12;
const checksumBytes = 4;

/**
 * A record's `event` is the message's `:event-type`, or its `:exception-type`; `data` its payload. A message without
 * JSON (`:message-type` error) tells its headers as `{"code","message"}` under the event "error".
 * Whole messages before a broken one are given first; the fault is thrown by the call after that.
 */
export function openEventStreamDecoder(limitBytes = 16 * 1024 * 1024): RecordDecoder {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** Of the message that is being held; 0 until its prelude is there. */
  let size = 0;
  let fault: unknown;

  function hold(bytes: Uint8Array): void {
    held.push(bytes);
    heldBytes += bytes.length;
  }

  /** Adds what the held message still lacks; returns how much that was. */
  function complete(bytes: Uint8Array, records: StreamRecord[]): number {
    const wanted = size === 0 ? preludeBytes : size;
    const taken = Math.min(wanted - heldBytes, bytes.length);
    hold(bytes.subarray(0, taken));
    if (heldBytes < wanted) return taken;
    const joined = Buffer.concat(held, heldBytes);
    held = [joined];
    if (size === 0) size = sizeOf(joined, limitBytes);
    else {
      records.push(readMessage(joined));
      held = [];
      heldBytes = size = 0;
    }
    return taken;
  }

  function read(chunk: Uint8Array, records: StreamRecord[]): void {
    for (let at = 0; at < chunk.length;) {
      const rest = chunk.subarray(at);
      if (heldBytes > 0) at += complete(rest, records);
      else {
        if (rest.length >= preludeBytes) size = sizeOf(rest, limitBytes);
        if (size === 0 || rest.length < size) return hold(rest);
        records.push(readMessage(rest.subarray(0, size)));
        at += size;
        size = 0;
      }
    }
  }

  function rethrow(): void {
    if (fault !== undefined) throw fault;
  }

  return {
    push(chunk) {
      rethrow();
      const records: StreamRecord[] = [];
      try {
        read(chunk, records);
      } catch (broken) {
        fault = broken;
        if (records.length === 0) throw broken;
      }
      return records;
    },
    /** A message that was cut says nothing. */
    end() {
      rethrow();
      return [];
    },
  };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function sizeOf(bytes: Uint8Array, limitBytes: number): number {
  const view = viewOf(bytes);
  if (crc32(bytes.subarray(0, 8)) !== view.getUint32(8)) throw new EventStreamBroken("a prelude's checksum is wrong");
  const size = view.getUint32(0);
  if (size > limitBytes) throw new RangeError(`A message of the event stream is larger than ${limitBytes} bytes.`);
  if (size < preludeBytes + view.getUint32(4) + checksumBytes) {
    throw new EventStreamBroken("a message is shorter than its headers");
  }
  return size;
}

function readMessage(raw: Uint8Array): StreamRecord {
  const view = viewOf(raw);
  const end = raw.length - checksumBytes;
  if (crc32(raw.subarray(0, end)) !== view.getUint32(end)) throw new EventStreamBroken("a message's checksum is wrong");
  const headersEnd = preludeBytes + view.getUint32(4);
  const headers = readHeaders(view, preludeBytes, headersEnd);
  const payload = Buffer.from(raw.buffer, raw.byteOffset + headersEnd, end - headersEnd).toString("utf8");
  const type = headers.get(":message-type");
  if (type === "error") {
    const told = { code: headers.get(":error-code") ?? "", message: headers.get(":error-message") ?? "" };
    return { event: "error", data: JSON.stringify(told), raw };
  }
  const event = type === "exception" ? (headers.get(":exception-type") ?? "exception") : headers.get(":event-type");
  return { event: event ?? "", data: payload, raw };
}

/** Value type → its length; for byte strings and texts the two bytes before the value say it. */
const fixedLengths = new Map([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
]);
const byteString = 6;
const textValue = 7;

/** Those that are text; the others are walked over. */
function readHeaders(view: DataView, from: number, end: number): Map<string, string> {
  const headers = new Map<string, string>();
  let at = from;
  const take = (length: number): number => {
    if (at + length > end) throw new EventStreamBroken("a header reaches beyond the headers");
    at += length;
    return at - length;
  };
  const text = (length: number): string =>
    Buffer.from(view.buffer, view.byteOffset + take(length), length).toString("utf8");
  while (at < end) {
    const name = text(view.getUint8(take(1)));
    const type = view.getUint8(take(1));
    if (type === textValue) headers.set(name, text(view.getUint16(take(2))));
    else {
      const length = type === byteString ? view.getUint16(take(2)) : fixedLengths.get(type);
      if (length === undefined) throw new EventStreamBroken(`a header has a value of the unknown type ${type}`);
      take(length);
    }
  }
  return headers;
}
