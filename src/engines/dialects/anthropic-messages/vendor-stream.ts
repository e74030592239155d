import type { ChatEvent } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { VendorStream } from "../port.ts";
import { decodeError, finishOf, usageOf } from "./words.ts";

interface OpenCall {
  index: number;
  /** The whole input, where the block's start already held it. */
  input: unknown;
  empty: boolean;
}

interface State {
  ended: boolean;
  usage: Usage | undefined;
  calls: number;
  /** Tool calls by the index of their content block. */
  open: Map<unknown, OpenCall>;
}

export function openVendorStream(): VendorStream {
  const state: State = { ended: false, usage: undefined, calls: 0, open: new Map() };
  return {
    decode({ data }) {
      if (state.ended || data === "") return [];
      const out: ChatEvent[] = [];
      const event = parseEvent(data);
      if (event === undefined) {
        fail(state, out, "The vendor's stream holds an event that is not a JSON object.", "invalid_stream");
      } else reducers.get(event["type"])?.(event, state, out);
      return out;
    },
  };
}

function parseEvent(data: string): Fields | undefined {
  try {
    const event: unknown = JSON.parse(data);
    return isFields(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

function fail(state: State, out: ChatEvent[], message: string, code: string): void {
  state.ended = true;
  out.push({ type: "error", message, code });
}

type Reducer = (event: Fields, state: State, out: ChatEvent[]) => void;

const inner = (event: Fields, key: string): Fields => (isFields(event[key]) ? event[key] : {});

/** Event type → what it says. Types that aren't here (ping, and whatever comes next) say nothing to us. */
const reducers = new Map<unknown, Reducer>([
  [
    "message_start",
    (event, state, out) => {
      const message = inner(event, "message");
      state.usage = usageOf(message["usage"]);
      const counted = state.usage === undefined ? {} : { usage: state.usage };
      out.push({ type: "start", model: textOr(message["model"], ""), ...counted });
    },
  ],
  [
    "content_block_start",
    (event, state, out) => {
      const block = inner(event, "content_block");
      blockStarts.get(block["type"])?.(block, event["index"], state, out);
    },
  ],
  [
    "content_block_delta",
    (event, state, out) => {
      const delta = inner(event, "delta");
      deltas.get(delta["type"])?.(delta, event["index"], state, out);
    },
  ],
  [
    "content_block_stop",
    (event, state, out) => {
      const call = state.open.get(event["index"]);
      state.open.delete(event["index"]);
      if (call?.empty === true) {
        out.push({ type: "tool_call_delta", index: call.index, arguments: JSON.stringify(call.input ?? {}) });
      }
    },
  ],
  [
    "message_delta",
    (event, state, out) => {
      const delta = inner(event, "delta");
      if (typeof delta["stop_reason"] === "string") {
        const stopped = delta["stop_sequence"];
        out.push({
          type: "finish",
          finish: finishOf(delta["stop_reason"]),
          ...(typeof stopped === "string" ? { stop_sequence: stopped } : {}),
        });
      }
      const usage = usageOf(event["usage"], state.usage);
      if (usage !== undefined) out.push({ type: "usage", usage: (state.usage = usage) });
    },
  ],
  [
    "message_stop",
    (_event, state, out) => {
      state.ended = true;
      out.push({ type: "end" });
    },
  ],
  [
    "error",
    (event, state, out) => {
      const { message, code } = decodeError(200, event);
      fail(state, out, message, code ?? "upstream_error");
    },
  ],
]);

type BlockReducer = (block: Fields, at: unknown, state: State, out: ChatEvent[]) => void;

const pushText = (text: string, out: ChatEvent[]): void => {
  if (text !== "") out.push({ type: "text", text });
};

function pushReasoning(text: string, signature: string, out: ChatEvent[]): void {
  if (text === "" && signature === "") return;
  out.push({ type: "reasoning", text, ...(signature === "" ? {} : { signature }) });
}

const blockStarts = new Map<unknown, BlockReducer>([
  ["text", (block, _at, _state, out) => pushText(textOr(block["text"], ""), out)],
  [
    "thinking",
    (block, _at, _state, out) => pushReasoning(textOr(block["thinking"], ""), textOr(block["signature"], ""), out),
  ],
  [
    "redacted_thinking",
    (block, _at, _state, out) => {
      out.push({ type: "reasoning", text: "", encrypted: textOr(block["data"], "") });
    },
  ],
  [
    "tool_use",
    (block, at, state, out) => {
      const index = state.calls++;
      state.open.set(at, { index, input: block["input"], empty: true });
      out.push({ type: "tool_call_start", index, id: textOr(block["id"], ""), name: textOr(block["name"], "") });
    },
  ],
]);

const deltas = new Map<unknown, BlockReducer>([
  ["text_delta", (delta, _at, _state, out) => pushText(textOr(delta["text"], ""), out)],
  ["thinking_delta", (delta, _at, _state, out) => pushReasoning(textOr(delta["thinking"], ""), "", out)],
  ["signature_delta", (delta, _at, _state, out) => pushReasoning("", textOr(delta["signature"], ""), out)],
  [
    "input_json_delta",
    (delta, at, state, out) => {
      const call = state.open.get(at);
      const text = textOr(delta["partial_json"], "");
      if (call === undefined || text === "") return;
      call.empty = false;
      out.push({ type: "tool_call_delta", index: call.index, arguments: text });
    },
  ],
]);
