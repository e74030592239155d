import type { ChatEvent } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { VendorStream } from "../port.ts";
import { citationsOf } from "./citations.ts";
import { argumentsOf, madeUpCallId } from "./decode-response.ts";
import { logprobsOf } from "./logprobs.ts";
import { usageOf } from "./usage.ts";
import { decodeError, finishOf, isFailure } from "./words.ts";

interface Call {
  index: number;
  empty: boolean;
}

interface State {
  answerId: string;
  started: boolean;
  ended: boolean;
  calls: number;
  /** By the index that the stream gives them. */
  open: Map<unknown, Call>;
}

export function openVendorStream(): VendorStream {
  const state: State = { answerId: "", started: false, ended: false, calls: 0, open: new Map() };
  return {
    decode({ event, data }) {
      const out: ChatEvent[] = [];
      if (state.ended || data === "") return out;
      const fields = parseEvent(data);
      if (fields === undefined) {
        fail(state, out, "The vendor's stream holds an event that is not a JSON object.", "invalid_stream");
        return out;
      }
      const type = fields["type"] ?? event;
      const reduce = reducers.get(type);
      if (reduce !== undefined) {
        begin(state, out);
        reduce(fields, state, out);
      } else if (isRefusal(type, fields)) fail(state, out, decodeError(200, fields).message, "upstream_error");
      return out;
    },
  };
}

/** What Cohere answers with instead of an event: `{id, message}`. */
const isRefusal = (type: unknown, fields: Fields): boolean =>
  type === "error" ||
  ((type === "" || type === undefined) && (typeof fields["message"] === "string" || fields["error"] !== undefined));

function begin(state: State, out: ChatEvent[]): void {
  if (state.started) return;
  state.started = true;
  out.push({ type: "start", model: "" });
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

/** `delta.message.<key>`, as most events have it. */
function piece(event: Fields, key: string): unknown {
  const delta = event["delta"];
  const message = isFields(delta) ? delta["message"] : undefined;
  return isFields(message) ? message[key] : undefined;
}

/** Event type → what it says. Types that aren't here (content-end, citation-end, debug, and whatever comes next) say nothing to us. */
const reducers = new Map<unknown, Reducer>([
  [
    "message-start",
    (event, state) => {
      state.answerId = textOr(event["id"], "");
    },
  ],
  ["content-start", readContent],
  ["content-delta", readContent],
  [
    "tool-plan-delta",
    (event, _state, out) => {
      const text = textOr(piece(event, "tool_plan"), "");
      if (text !== "") out.push({ type: "reasoning", text });
    },
  ],
  ["tool-call-start", startCall],
  [
    "tool-call-delta",
    (event, state, out) => {
      const call = state.open.get(event["index"]);
      if (call !== undefined) pushArguments(call, specOf(piece(event, "tool_calls"))["arguments"], out);
    },
  ],
  ["tool-call-end", (event, state, out) => endCall(event["index"], state, out)],
  [
    "citation-start",
    (event, _state, out) => {
      const citations = citationsOf(piece(event, "citations"));
      if (citations.length > 0) out.push({ type: "citations", citations });
    },
  ],
  ["message-end", end],
]);

function readContent(event: Fields, _state: State, out: ChatEvent[]): void {
  const content = piece(event, "content");
  if (!isFields(content)) return;
  const thinking = textOr(content["thinking"], "");
  if (thinking !== "") out.push({ type: "reasoning", text: thinking });
  const text = textOr(content["text"], "");
  const logprobs = logprobsOf(event["logprobs"]);
  if (text !== "" || logprobs.length > 0) out.push({ type: "text", text, ...(logprobs.length > 0 && { logprobs }) });
}

/** One call, though the field is named for several; servers that imitate Cohere send the list. */
function callIn(value: unknown): Fields {
  const call = Array.isArray(value) ? (value as unknown[])[0] : value;
  return isFields(call) ? call : {};
}

function specOf(value: unknown): Fields {
  const spec = callIn(value)["function"];
  return isFields(spec) ? spec : {};
}

function startCall(event: Fields, state: State, out: ChatEvent[]): void {
  endCall(event["index"], state, out);
  const wire = piece(event, "tool_calls");
  const spec = specOf(wire);
  const call: Call = { index: state.calls++, empty: true };
  state.open.set(event["index"], call);
  const id = textOr(callIn(wire)["id"], "") || madeUpCallId(state.answerId, call.index);
  out.push({ type: "tool_call_start", index: call.index, id, name: textOr(spec["name"], "") });
  pushArguments(call, spec["arguments"], out);
}

function pushArguments(call: Call, value: unknown, out: ChatEvent[]): void {
  const text = argumentsOf(value);
  if (text === "") return;
  call.empty = false;
  out.push({ type: "tool_call_delta", index: call.index, arguments: text });
}

/** A tool without arguments is called with none: the client wants JSON all the same. */
function endCall(at: unknown, { open }: State, out: ChatEvent[]): void {
  const call = open.get(at);
  if (call === undefined) return;
  open.delete(at);
  if (call.empty) pushArguments(call, "{}", out);
}

function end(event: Fields, state: State, out: ChatEvent[]): void {
  for (const at of state.open.keys()) endCall(at, state, out);
  const delta = isFields(event["delta"]) ? event["delta"] : {};
  const usage = usageOf(delta["usage"]);
  if (usage !== undefined) out.push({ type: "usage", usage });
  const { finish_reason: reason, error } = delta;
  if (isFailure(reason) || (typeof error === "string" && error !== "")) {
    const message =
      typeof error === "string" && error !== "" ? error : `The vendor broke its stream off: ${String(reason)}.`;
    return fail(state, out, message.slice(0, 2_000), String(reason ?? "upstream_error"));
  }
  state.ended = true;
  out.push({ type: "finish", finish: finishOf(reason) }, { type: "end" });
}
