import type { ChatEvent } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { VendorStream } from "../port.ts";
import { madeUpCallId, textsOf } from "./response.ts";
import { decodeError, finishOf, usageOf } from "./words.ts";

interface Call {
  index: number;
  id: string;
  name: string;
  /** Arguments that came before the name did. */
  held: string;
  started: boolean;
  empty: boolean;
}

interface State {
  answerId: string;
  model: string;
  started: boolean;
  ended: boolean;
  calls: Call[];
  /** Which call each wire index means now. */
  byWireIndex: Map<unknown, Call>;
}

export function openVendorStream(): VendorStream {
  const state: State = { answerId: "", model: "", started: false, ended: false, calls: [], byWireIndex: new Map() };
  return {
    decode({ event, data }) {
      if (state.ended || data === "") return [];
      const out: ChatEvent[] = [];
      if (data.trim() === "[DONE]") {
        state.ended = true;
        out.push({ type: "end" });
        return out;
      }
      readChunk(event, data, state, out);
      return out;
    },
  };
}

function readChunk(event: string, data: string, state: State, out: ChatEvent[]): void {
  const chunk = parseChunk(data);
  if (chunk === undefined) return fail(state, out, "The vendor's stream holds an event that is not a JSON object.");
  if (event === "error" || (chunk["error"] !== undefined && chunk["error"] !== null)) {
    const { message, code } = decodeError(200, chunk);
    return fail(state, out, message, code);
  }
  if (state.answerId === "") state.answerId = textOr(chunk["id"], "");
  if (state.model === "") state.model = textOr(chunk["model"], "");
  const choices = chunk["choices"];
  const choice: unknown = Array.isArray(choices)
    ? choices.find((item) => isFields(item) && (item["index"] ?? 0) === 0)
    : undefined;
  // Azure opens with a chunk of filter results that names no model.
  if (state.model !== "" || isFields(choice)) start(state, out);
  if (isFields(choice)) readChoice(choice, state, out);
  if (state.ended) return;
  const usage = usageOf(chunk["usage"]);
  if (usage !== undefined) out.push({ type: "usage", usage });
}

function parseChunk(data: string): Fields | undefined {
  try {
    const chunk: unknown = JSON.parse(data);
    return isFields(chunk) ? chunk : undefined;
  } catch {
    return undefined;
  }
}

function start(state: State, out: ChatEvent[]): void {
  if (state.started) return;
  state.started = true;
  out.push({ type: "start", model: state.model });
}

function fail(state: State, out: ChatEvent[], message: string, code = "invalid_stream"): void {
  state.ended = true;
  out.push({ type: "error", message, code });
}

type Reducer = (value: unknown, state: State, out: ChatEvent[], delta: Fields) => void;

const reasoning: Reducer = (value, _state, out, delta) => {
  const text = textOr(value, "");
  const signature = delta["reasoning_signature"];
  if (text !== "") {
    out.push({ type: "reasoning", text, ...(typeof signature === "string" ? { signature } : {}) });
  } else if (typeof signature === "string") out.push({ type: "reasoning", text: "", signature });
};

/** Field of a delta → what it says. In the order in which one chunk that holds several is to be read. */
const reducers: readonly (readonly [field: string, reduce: Reducer])[] = [
  ["reasoning_content", reasoning],
  [
    "reasoning",
    (value, state, out, delta) => {
      // vLLM sends the same text under both names.
      if (textOr(delta["reasoning_content"], "") === "") reasoning(value, state, out, delta);
    },
  ],
  [
    "content",
    (value, _state, out) => {
      for (const text of textsOf(value)) if (text !== "") out.push({ type: "text", text });
    },
  ],
  [
    "refusal",
    (value, _state, out) => {
      const text = textOr(value, "");
      if (text !== "") out.push({ type: "text", text, refusal: true });
    },
  ],
  [
    "tool_calls",
    (value, state, out) => {
      if (!Array.isArray(value)) return;
      for (const piece of value as unknown[]) if (isFields(piece)) readCallPiece(piece, state, out);
    },
  ],
];

function readChoice(choice: Fields, state: State, out: ChatEvent[]): void {
  const delta = choice["delta"];
  if (isFields(delta)) {
    for (const [field, reduce] of reducers) {
      const value = delta[field];
      if (value !== undefined && value !== null) reduce(value, state, out, delta);
    }
  }
  const reason = choice["finish_reason"];
  if (reason === undefined || reason === null || reason === "") return;
  if (reason === "error") return fail(state, out, "The vendor ended its stream with an error.", "upstream_error");
  for (const call of state.calls) if (call.started && call.empty) pushArguments(call, "{}", out);
  out.push({ type: "finish", finish: finishOf(reason) });
}

function readCallPiece(piece: Fields, state: State, out: ChatEvent[]): void {
  const spec = isFields(piece["function"]) ? piece["function"] : {};
  const name = textOr(spec["name"], "");
  const call = callOf(piece, name, state);
  call.name ||= name;
  if (!call.started && call.name !== "") {
    call.started = true;
    call.id ||= madeUpCallId(state.answerId, call.index);
    out.push({ type: "tool_call_start", index: call.index, id: call.id, name: call.name });
  }
  const text = textOr(spec["arguments"], "");
  if (!call.started) call.held += text;
  else {
    pushArguments(call, call.held + text, out);
    call.held = "";
  }
}

function pushArguments(call: Call, text: string, out: ChatEvent[]): void {
  if (text === "") return;
  call.empty = false;
  out.push({ type: "tool_call_delta", index: call.index, arguments: text });
}

/** Vendors differ: no index at all, or index 0 for every call with a fresh id each time. */
function callOf(piece: Fields, name: string, state: State): Call {
  const id = textOr(piece["id"], "");
  const wireIndex = piece["index"] ?? (id === "" ? undefined : id);
  const known = wireIndex === undefined ? state.calls.at(-1) : state.byWireIndex.get(wireIndex);
  if (known !== undefined && (id === "" || name === "" || known.id === "" || known.id === id)) {
    if (!known.started) known.id ||= id;
    return known;
  }
  const call: Call = { index: state.calls.length, id, name: "", held: "", started: false, empty: true };
  state.calls.push(call);
  state.byWireIndex.set(wireIndex, call);
  return call;
}

/**
 * Whether this event is the frame that `include_usage` adds, which says nothing but usage: withheld from a client that
 * didn't ask for it. Azure's opening frame (no choices, no usage) is not one.
 */
export function isUsageFrame(data: string): boolean {
  if (!/"choices"\s*:\s*\[\s*\]/.test(data)) return false;
  const chunk = parseChunk(data);
  return (
    chunk !== undefined && Array.isArray(chunk["choices"]) && chunk["choices"].length === 0 && isFields(chunk["usage"])
  );
}
