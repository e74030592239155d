import type { ChatEvent, Citation } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";
import type { VendorStream } from "../port.ts";
import { readCitation } from "./citations.ts";
import { nativeBlock } from "./decode-response.ts";
import { usageOf } from "./usage.ts";
import { decodeError, finishOf } from "./words.ts";

interface OpenCall {
  index: number;
  /** The whole input, where the block's start already held it. */
  input: unknown;
  empty: boolean;
}

/** A block of Anthropic's own, told as one part when it is whole. */
interface OpenNative {
  block: Fields;
  /** Its input, where that is streamed. */
  json: string;
}

interface State {
  ended: boolean;
  usage: Usage | undefined;
  calls: number;
  /** Tool calls by the index of their content block. */
  open: Map<unknown, OpenCall>;
  natives: Map<unknown, OpenNative>;
  /** Of the block that streams now; told after its text, which they mark. */
  cited: { citations: Citation[]; natives: ChatEvent[] };
}

export function openVendorStream(): VendorStream {
  const state: State = {
    ended: false,
    usage: undefined,
    calls: 0,
    open: new Map(),
    natives: new Map(),
    cited: { citations: [], natives: [] },
  };
  return {
    decode({ data }) {
      const out: ChatEvent[] = [];
      if (state.ended || data === "") return out;
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
      const start = blockStarts.get(block["type"]);
      if (start !== undefined) start(block, event["index"], state, out);
      else state.natives.set(event["index"], { block, json: "" });
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
      close(event["index"], state, out);
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
      // Imitators forget to close their blocks.
      for (const at of [...state.open.keys(), ...state.natives.keys(), undefined]) close(at, state, out);
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

/** What a block says once it is whole. */
function close(at: unknown, state: State, out: ChatEvent[]): void {
  const call = state.open.get(at);
  state.open.delete(at);
  if (call?.empty === true) {
    const text = isShallow(call.input) ? JSON.stringify(call.input ?? {}) : "{}";
    out.push({ type: "tool_call_delta", index: call.index, arguments: text });
  }
  pushNative(at, state, out);
  pushCited(state, out);
}

function pushNative(at: unknown, state: State, out: ChatEvent[]): void {
  const open = state.natives.get(at);
  if (open === undefined) return;
  state.natives.delete(at);
  const input = open.json === "" ? undefined : parseEvent(open.json);
  const part = nativeBlock(input === undefined ? open.block : { ...open.block, input });
  if (part !== undefined) out.push({ type: "part", part });
}

function pushCited(state: State, out: ChatEvent[]): void {
  const { citations, natives } = state.cited;
  if (citations.length === 0 && natives.length === 0) return;
  if (citations.length > 0) out.push({ type: "citations", citations });
  out.push(...natives);
  state.cited = { citations: [], natives: [] };
}

function readCited(value: unknown, { cited }: State): void {
  const citation = readCitation(value);
  if (citation === undefined) return;
  if ("type" in citation) cited.natives.push({ type: "part", part: citation });
  else cited.citations.push(citation);
}

type BlockReducer = (block: Fields, at: unknown, state: State, out: ChatEvent[]) => void;

const pushText = (text: string, out: ChatEvent[]): void => {
  if (text !== "") out.push({ type: "text", text });
};

function pushReasoning(text: string, signature: string, out: ChatEvent[]): void {
  if (text === "" && signature === "") return;
  out.push({ type: "reasoning", text, ...(signature === "" ? {} : { signature }) });
}

const blockStarts = new Map<unknown, BlockReducer>([
  [
    "text",
    (block, _at, state, out) => {
      pushText(textOr(block["text"], ""), out);
      if (Array.isArray(block["citations"])) for (const citation of block["citations"]) readCited(citation, state);
    },
  ],
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
  ["citations_delta", (delta, _at, state) => readCited(delta["citation"], state)],
  [
    "input_json_delta",
    (delta, at, state, out) => {
      const text = textOr(delta["partial_json"], "");
      const native = state.natives.get(at);
      if (native !== undefined) native.json += text;
      const call = state.open.get(at);
      if (call === undefined || text === "") return;
      call.empty = false;
      out.push({ type: "tool_call_delta", index: call.index, arguments: text });
    },
  ],
]);
