/** Server-sent events (WHATWG HTML §9.2) over bytes, keeping each record's exact bytes for pass-through. */

import type { RecordDecoder, StreamRecord } from "./port.ts";

export const sseType = "text/event-stream";

export class SseRecordTooLarge extends RangeError {
  constructor(limitBytes: number) {
    super(
      `A server-sent event is larger than ${limitBytes} bytes; raise the limit or ask the vendor for smaller events.`,
    );
    this.name = "SseRecordTooLarge";
  }
}

const lf = 10;
const cr = 13;
const lineFeed = Buffer.of(lf);
const colon = 58;
const space = 32;

/**
 * A record's `event` is "" where there is none; `data` its data lines joined by LF, "" for a keep-alive comment or blank
 * line, which is forwarded but says nothing. All `raw` in order are the stream; they may alias the chunks they came from.
 * `limitBytes` bounds one record, hence the memory held between chunks. Throws SseRecordTooLarge; the decoder is then of no further use.
 */
export function openSseDecoder(limitBytes = 8 * 1024 * 1024): RecordDecoder {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let lineIsEmpty = true;
  let skipLf = false;
  /** The stream ends its lines with CRLF, so an LF will follow a CR that a chunk ends in. */
  let crLf = false;
  /** That LF was given to the record before it came. */
  let lfGiven = false;
  let first = true;

  function close(tail: Uint8Array): StreamRecord {
    const size = heldBytes + tail.length;
    if (size > limitBytes) throw new SseRecordTooLarge(limitBytes);
    const raw = heldBytes === 0 ? tail : Buffer.concat([...held, tail], size);
    if (heldBytes > 0) held = [];
    heldBytes = 0;
    const start = first && startsWithBom(raw) ? 3 : 0;
    first = false;
    return parseRecord(raw, start);
  }

  return {
    push(chunk) {
      const events: StreamRecord[] = [];
      const hasCr = chunk.includes(cr);
      let recordStart = 0;
      let at = 0;
      if (skipLf && chunk.length > 0) {
        if (chunk[0] === lf) {
          at = 1;
          crLf = true;
          if (lfGiven) recordStart = 1;
        }
        skipLf = false;
        lfGiven = false;
      }
      while (at < chunk.length) {
        const lineEnd = hasCr ? nextLineEnd(chunk, at) : chunk.indexOf(lf, at);
        if (lineEnd === -1) {
          lineIsEmpty = false;
          break;
        }
        const blank = lineIsEmpty && lineEnd === at;
        lineIsEmpty = true;
        at = lineEnd + 1;
        if (hasCr && chunk[lineEnd] === cr) {
          if (at === chunk.length) skipLf = true;
          else if (chunk[at] === lf) {
            at++;
            crLf = true;
          }
        }
        if (blank) {
          // The record is complete: waiting for the second half of its line end would hold it back for nothing.
          lfGiven = skipLf && crLf;
          const tail = chunk.subarray(recordStart, at);
          events.push(close(lfGiven ? Buffer.concat([tail, lineFeed]) : tail));
          recordStart = at;
        }
      }
      if (recordStart < chunk.length) {
        held.push(chunk.subarray(recordStart));
        heldBytes += chunk.length - recordStart;
        if (heldBytes > limitBytes) throw new SseRecordTooLarge(limitBytes);
      }
      return events;
    },
    end() {
      return heldBytes === 0 ? [] : [close(new Uint8Array(0))];
    },
  };
}

function nextLineEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] === lf || bytes[at] === cr) return at;
  return -1;
}

const startsWithBom = (raw: Uint8Array): boolean => raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf;

function parseRecord(raw: Uint8Array, start: number): StreamRecord {
  const text = Buffer.isBuffer(raw) ? raw : Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  const hasCr = raw.includes(cr);
  let event = "";
  let data: string | undefined;
  for (let at = start; at < raw.length;) {
    let lineEnd = hasCr ? nextLineEnd(raw, at) : raw.indexOf(lf, at);
    if (lineEnd === -1) lineEnd = raw.length;
    const value = fieldStart(raw, at, lineEnd);
    if (value !== -1) {
      const content = value >= lineEnd ? "" : text.toString("utf8", value, lineEnd);
      if (raw[at] === 101) event = content;
      else data = data === undefined ? content : `${data}\n${content}`;
    }
    at = lineEnd + 1;
  }
  return { event, data: data ?? "", raw };
}

const dataName = [100, 97, 116, 97];
const eventName = [101, 118, 101, 110, 116];

/** Where the value of a `data` or `event` line starts; -1 for every other line (comment, id, retry, unknown). */
function fieldStart(raw: Uint8Array, from: number, lineEnd: number): number {
  const name = raw[from] === 100 ? dataName : raw[from] === 101 ? eventName : undefined;
  if (name === undefined) return -1;
  const after = from + name.length;
  if (after > lineEnd) return -1;
  for (let i = 1; i < name.length; i++) if (raw[from + i] !== name[i]) return -1;
  if (after === lineEnd) return after;
  if (raw[after] !== colon) return -1;
  return raw[after + 1] === space && after + 1 < lineEnd ? after + 2 : after + 1;
}

/** One record as text. A line break inside `data` becomes a further data line. */
export function encodeSse(data: string, event?: string): string {
  const head = event === undefined ? "data: " : `event: ${event}\ndata: `;
  return `${head}${/[\r\n]/.test(data) ? data.replaceAll(/\r\n|\r|\n/g, "\ndata: ") : data}\n\n`;
}
