import type { ChatEvent } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { VendorStream } from "../port.ts";
import { readCitation, readThought } from "./read-block.ts";
import { usageOf } from "./usage.ts";
import { decodeError, finishOf, isMalformed, malformedMessage, stopSequenceOf } from "./words.ts";

interface State {
  over: boolean;
  /** messageStop was seen: only metadata may follow. */
  stopped: boolean;
  calls: number;
  /** Tool calls by the index of their content block. */
  open: Map<unknown, { index: number; empty: boolean }>;
}

/**
 * `metadata` closes every ConverseStream and holds its usage: a stream that ends after messageStop and before it is
 * truncated, and its usage unknown.
 */
export function openVendorStream(): VendorStream {
  const state: State = { over: false, stopped: false, calls: 0, open: new Map() };
  return {
    decode({ event, data }) {
      const out: ChatEvent[] = [];
      if (state.over) return out;
      if (isFault(event)) {
        const told = decodeError(200, parse(data));
        fail(state, out, told.message, event === "error" ? (told.code ?? "upstream_error") : event);
        return out;
      }
      const reducer = reducers.get(event);
      if (reducer === undefined) return out;
      const fields = parse(data);
      if (fields === undefined) fail(state, out, "The vendor's stream holds an event that is not a JSON object.");
      else reducer(fields, state, out);
      return out;
    },
  };
}

/** Smithy's names of exceptions all end so; new ones come without notice. */
const isFault = (event: string): boolean => event === "error" || /exception$/i.test(event);

function parse(data: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function fail(state: State, out: ChatEvent[], message: string, code = "invalid_stream"): void {
  state.over = true;
  out.push({ type: "error", message, code });
}

type Reducer = (fields: Fields, state: State, out: ChatEvent[]) => void;

const inner = (fields: Fields, key: string): Fields => (isFields(fields[key]) ? fields[key] : {});

/** Event type → what it says. Types that aren't here say nothing to us. */
const reducers = new Map<string, Reducer>([
  ["messageStart", (_fields, _state, out) => out.push({ type: "start", model: "" })],
  [
    "contentBlockStart",
    (fields, state, out) => {
      const call = inner(fields, "start")["toolUse"];
      if (!isFields(call)) return;
      const at = fields["contentBlockIndex"];
      close(at, state, out);
      const index = state.calls++;
      state.open.set(at, { index, empty: true });
      out.push({ type: "tool_call_start", index, id: textOr(call["toolUseId"], ""), name: textOr(call["name"], "") });
    },
  ],
  [
    "contentBlockDelta",
    (fields, state, out) => {
      const delta = inner(fields, "delta");
      for (const kind in deltas) if (delta[kind] !== undefined) deltas[kind]!(delta[kind], fields, state, out);
    },
  ],
  ["contentBlockStop", (fields, state, out) => close(fields["contentBlockIndex"], state, out)],
  [
    "messageStop",
    (fields, state, out) => {
      for (const at of state.open.keys()) close(at, state, out);
      const reason = fields["stopReason"];
      if (isMalformed(reason)) return fail(state, out, malformedMessage(reason), reason);
      state.stopped = true;
      out.push({
        type: "finish",
        finish: finishOf(reason),
        ...stopSequenceOf(fields["additionalModelResponseFields"]),
      });
    },
  ],
  [
    "metadata",
    (fields, state, out) => {
      const usage = usageOf(fields["usage"], fields["serviceTier"]);
      if (usage !== undefined) out.push({ type: "usage", usage });
      if (!state.stopped) return fail(state, out, "The vendor's stream ended before its message did.");
      state.over = true;
      out.push({ type: "end" });
    },
  ],
  [
    "chunk",
    (_fields, state, out) =>
      fail(state, out, "The vendor answered with a stream of InvokeModel; only that of Converse is read here."),
  ],
]);

/** A call without any input has an empty one. */
function close(at: unknown, state: State, out: ChatEvent[]): void {
  const call = state.open.get(at);
  state.open.delete(at);
  if (call?.empty === true) out.push({ type: "tool_call_delta", index: call.index, arguments: "{}" });
}

const deltas: Record<string, (delta: unknown, fields: Fields, state: State, out: ChatEvent[]) => void> = {
  text: (text, _fields, _state, out) => {
    if (typeof text === "string" && text !== "") out.push({ type: "text", text });
  },
  toolUse: (delta, fields, state, out) => {
    const call = state.open.get(fields["contentBlockIndex"]);
    const text = isFields(delta) ? textOr(delta["input"], "") : "";
    if (call === undefined || text === "") return;
    call.empty = false;
    out.push({ type: "tool_call_delta", index: call.index, arguments: text });
  },
  reasoningContent: (delta, _fields, _state, out) => {
    const thought = isFields(delta) ? readThought(delta) : undefined;
    if (thought !== undefined) out.push({ type: "reasoning", ...thought });
  },
  citation: (delta, _fields, _state, out) => {
    const read = readCitation(delta);
    if (read === undefined) return;
    out.push("type" in read ? { type: "part", part: read } : { type: "citations", citations: [read] });
  },
};
