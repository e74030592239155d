/**
 * Gemini's streams have no terminator: they are whole when every candidate has its `finishReason` and the body has
 * ended. So the end of the body is a record of its own here, and only after it the reader says `end`.
 */
import type { ChatEvent } from "../../../kernel/chat.ts";
import { type Fields, isFields } from "../body-reader.ts";
import { parseExactly } from "../../../kernel/exact-json.ts";
import type { RecordDecoder, StreamRecord, VendorStream } from "../port.ts";
import { openSseDecoder } from "../sse.ts";
import { closeAnswer, isOver, openAnswer, readAnswer } from "./read-answer.ts";
import { decodeError } from "./words.ts";

/** No vendor can send it: the name of a server-sent event holds no line break. */
const endOfBody = "\n";

export function openDecoder(): RecordDecoder {
  const sse = openSseDecoder();
  return {
    push: (chunk) => sse.push(chunk).map(unframed),
    end: () => [...sse.end().map(unframed), { event: endOfBody, data: "", raw: new Uint8Array(0) }],
  };
}

const brace = 0x7b;
const bracket = 0x5b;

/** Google breaks off with bare JSON amid the events, which by the rules of SSE says nothing. */
function unframed(record: StreamRecord): StreamRecord {
  const { raw, data, event } = record;
  if (data !== "" || event !== "") return record;
  // A line end whose halves came in two chunks leaves its second half here.
  const first = raw.find((byte) => byte !== 0x0a && byte !== 0x0d);
  if (first !== brace && first !== bracket) return record;
  return { ...record, data: Buffer.from(raw).toString("utf8").trim() };
}

export function openVendorStream(): VendorStream {
  const answer = openAnswer();
  let ended = false;

  function fail(message: string, code = "invalid_stream"): ChatEvent {
    ended = true;
    return { type: "error", message, code };
  }

  function read(data: string, out: ChatEvent[]): void {
    const chunks = parseChunks(data);
    if (chunks === undefined) {
      out.push(fail("The vendor's stream holds an event that is not a JSON object."));
      return;
    }
    for (const chunk of chunks) {
      if (chunk["error"] !== undefined && chunk["error"] !== null) {
        const { message, code } = decodeError(200, chunk);
        out.push(fail(message, code ?? "upstream_error"));
        return;
      }
      readAnswer(chunk, answer, out);
    }
  }

  return {
    decode({ event, data }) {
      const out: ChatEvent[] = [];
      if (ended) return out;
      if (event === endOfBody) {
        ended = true;
        if (isOver(answer)) closeAnswer(answer, out);
      } else if (data !== "") read(data, out);
      return out;
    },
  };
}

/** Without `alt=sse`, and for errors, Google wraps chunks in an array. */
function parseChunks(data: string): Fields[] | undefined {
  try {
    // The numbers in a call's arguments are the client's: kept digit for digit.
    const value: unknown = data.includes('"functionCall"') ? parseExactly(data) : JSON.parse(data);
    if (!Array.isArray(value)) return isFields(value) ? [value] : undefined;
    return (value as unknown[]).every(isFields) ? (value as Fields[]) : undefined;
  } catch {
    return undefined;
  }
}
