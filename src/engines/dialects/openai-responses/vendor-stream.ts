import type { ChatEvent, TokenLogprob } from "../../../kernel/chat.ts";
import { type Fields, countOf, isFields, textOr } from "../body-reader.ts";
import { thoughtSignatureOf } from "../openai-chat/decode-response.ts";
import { decodeError } from "../openai-chat/words.ts";
import type { VendorStream } from "../port.ts";
import { callId, contentOf, logprobsOf, partsOf } from "./items.ts";
import { reasoningText, unsealed } from "./reasoning.ts";
import { finishOf, isWebSearch, usageOf } from "./words.ts";

/** One output item, from its first event to its last. */
interface Item {
  done: boolean;
  /** Of each content or summary part: how much of its text has come. */
  told: Map<string, number>;
  call: Call | undefined;
  /** A vendor tells its thoughts or a summary of them; where it tells both, what began goes on. */
  thoughts: "own" | "summary" | undefined;
  reasoningId: string | undefined;
  reasoned: boolean;
}

interface Call {
  index: number;
  custom: boolean;
}

interface State {
  model: string;
  answerId: string;
  started: boolean;
  ended: boolean;
  items: Map<unknown, Item>;
  lastKey: unknown;
  calls: number;
  searches: number;
  refused: boolean;
}

export function openVendorStream(): VendorStream {
  const state: State = {
    model: "",
    answerId: "",
    started: false,
    ended: false,
    items: new Map(),
    lastKey: 0,
    calls: 0,
    searches: 0,
    refused: false,
  };
  return {
    decode({ event, data }) {
      const out: ChatEvent[] = [];
      if (state.ended || data === "" || data.trim() === "[DONE]") return out;
      const fields = parse(data);
      if (fields === undefined) {
        fail(state, out, "The vendor's stream holds an event that is not a JSON object.", "invalid_stream");
        return out;
      }
      const type = textOr(fields["type"], "") || event;
      const reduce = reducers.get(type) ?? (isFields(fields["error"]) ? failed : undefined);
      reduce?.(fields, state, out);
      return out;
    },
  };
}

function parse(data: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(data);
    return isFields(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

type Reducer = (event: Fields, state: State, out: ChatEvent[]) => void;

function fail(state: State, out: ChatEvent[], message: string, code: string | undefined): void {
  state.ended = true;
  out.push({ type: "error", message, ...(code === undefined ? {} : { code }) });
}

/** Three shapes: `{error: {…}}`, the flat error event, and the error of a failed response. */
const failed: Reducer = (event, state, out) => {
  const response = isFields(event["response"]) ? event["response"] : undefined;
  const told = response ?? event;
  const usage = response === undefined ? undefined : usageOf(response, state.searches);
  if (usage !== undefined) out.push({ type: "usage", usage });
  const error = isFields(told["error"]) ? told["error"] : { code: told["code"], message: told["message"] };
  const { message, code } = decodeError(200, { error });
  fail(state, out, message, code ?? "upstream_error");
};

const started: Reducer = (event, state, out) => {
  const response = isFields(event["response"]) ? event["response"] : {};
  state.model ||= textOr(response["model"], "");
  state.answerId ||= textOr(response["id"], "");
  start(state, out);
};

function start(state: State, out: ChatEvent[]): void {
  if (state.started) return;
  state.started = true;
  const { model, answerId } = state;
  out.push({ type: "start", model, ...(answerId === "" ? {} : { vendor_id: answerId }) });
}

/** Items are known by their place; a server that names none speaks of the item that it spoke of last. */
function itemOf(event: Fields, state: State, out: ChatEvent[]): Item {
  start(state, out);
  const key = countOf(event["output_index"]) ?? state.lastKey;
  state.lastKey = key;
  let item = state.items.get(key);
  if (item === undefined) {
    item = {
      done: false,
      told: new Map(),
      call: undefined,
      thoughts: undefined,
      reasoningId: undefined,
      reasoned: false,
    };
    state.items.set(key, item);
  }
  return item;
}

/** What of the whole text hasn't come in pieces. */
function rest(item: Item, part: string, whole: string): string {
  const told = item.told.get(part) ?? 0;
  return whole.length > told ? whole.slice(told) : "";
}

function tell(item: Item, part: string, text: string): void {
  item.told.set(part, (item.told.get(part) ?? 0) + text.length);
}

const contentIndex = (event: Fields): number => countOf(event["content_index"]) ?? 0;

function sayText(item: Item, index: number, text: string, logprobs: TokenLogprob[], out: ChatEvent[]): void {
  if (text === "" && logprobs.length === 0) return;
  tell(item, `text${index}`, text);
  if (logprobs.length > 0) tell(item, `logprobs${index}`, "+");
  out.push({ type: "text", text, ...(logprobs.length === 0 ? {} : { logprobs }) });
}

function sayRefusal(state: State, item: Item, index: number, text: string, out: ChatEvent[]): void {
  if (text === "") return;
  state.refused = true;
  tell(item, `refusal${index}`, text);
  out.push({ type: "text", text, refusal: true });
}

/** A whole content part: what its pieces left out is said now. */
function finishContent(state: State, item: Item, index: number, content: Fields, out: ChatEvent[]): void {
  const refusal = textOr(content["refusal"], "");
  sayRefusal(state, item, index, rest(item, `refusal${index}`, refusal), out);
  const logprobs = item.told.has(`logprobs${index}`) ? [] : logprobsOf(content["logprobs"]);
  sayText(item, index, rest(item, `text${index}`, textOr(content["text"], "")), logprobs, out);
}

function startCall(item: Item, wire: Fields, state: State, out: ChatEvent[]): void {
  const name = textOr(wire["name"], "");
  if (item.call !== undefined || name === "") return;
  const custom = wire["type"] === "custom_tool_call";
  item.call = { index: state.calls++, custom };
  const signature = thoughtSignatureOf(wire);
  out.push({
    type: "tool_call_start",
    index: item.call.index,
    id: callId(wire) || `call_${state.answerId}_${item.call.index}`,
    name,
    ...(custom ? { custom } : {}),
    ...(signature === undefined ? {} : { signature }),
  });
}

/** Arguments of a call whose name hasn't come yet wait for the whole item. */
function sayArguments(item: Item, text: string, out: ChatEvent[]): void {
  if (item.call === undefined || text === "") return;
  tell(item, "arguments", text);
  out.push({ type: "tool_call_delta", index: item.call.index, arguments: text });
}

function reason(
  item: Item,
  kind: "own" | "summary",
  part: string,
  text: string,
  event: Fields,
  out: ChatEvent[],
): void {
  if (text === "" || (item.thoughts ?? kind) !== kind) return;
  const opensAnother = item.reasoned && !item.told.has(part);
  item.thoughts = kind;
  item.reasoned = true;
  item.reasoningId ??= unsealed(undefined, event["item_id"]).id;
  tell(item, part, text);
  const id = item.reasoningId === undefined ? {} : { id: item.reasoningId };
  out.push({ type: "reasoning", text: opensAnother ? `\n\n${text}` : text, ...id });
}

const reasoningDelta =
  (kind: "own" | "summary", index: "content_index" | "summary_index"): Reducer =>
  (event, state, out) => {
    const part = `${kind}${countOf(event[index]) ?? 0}`;
    reason(itemOf(event, state, out), kind, part, textOr(event["delta"], ""), event, out);
  };

const reasoningDone =
  (kind: "own" | "summary", index: "content_index" | "summary_index"): Reducer =>
  (event, state, out) => {
    const item = itemOf(event, state, out);
    const part = `${kind}${countOf(event[index]) ?? 0}`;
    reason(item, kind, part, rest(item, part, textOr(event["text"], "")), event, out);
  };

const argumentsDelta: Reducer = (event, state, out) => {
  sayArguments(itemOf(event, state, out), textOr(event["delta"], ""), out);
};

const argumentsDone =
  (field: "arguments" | "input"): Reducer =>
  (event, state, out) => {
    const item = itemOf(event, state, out);
    sayArguments(item, rest(item, "arguments", textOr(event[field], "")), out);
  };

/** Finished items: what no piece has told yet is told now. */
const finishers = new Map<unknown, (wire: Fields, item: Item, state: State, out: ChatEvent[]) => void>([
  [
    "message",
    (wire, item, state, out) => {
      for (const [i, content] of contentOf(wire).entries()) finishContent(state, item, i, content, out);
    },
  ],
  [
    "reasoning",
    (wire, item, _state, out) => {
      const seal = unsealed(wire["encrypted_content"], wire["id"]);
      const text = item.reasoned ? "" : reasoningText(wire);
      if (text !== "" || seal.signature !== undefined || seal.encrypted !== undefined) {
        out.push({ type: "reasoning", text, ...seal });
      }
    },
  ],
  ["function_call", finishCall],
  ["custom_tool_call", finishCall],
]);

function finishCall(wire: Fields, item: Item, state: State, out: ChatEvent[]): void {
  startCall(item, wire, state, out);
  const { call } = item;
  if (call === undefined) return;
  const told = item.told.has("arguments");
  const whole = textOr(wire[call.custom ? "input" : "arguments"], "");
  sayArguments(item, rest(item, "arguments", call.custom || told ? whole : whole || "{}"), out);
}

function finishItem(wire: Fields, item: Item, state: State, out: ChatEvent[]): void {
  if (item.done) return;
  item.done = true;
  const finish = finishers.get(wire["type"]);
  if (finish !== undefined) return finish(wire, item, state, out);
  if (isWebSearch(wire)) state.searches++;
  for (const part of partsOf(wire)) {
    if (part.type === "image" || part.type === "native") out.push({ type: "part", part });
  }
}

/** The last event holds the whole answer: items that some server told only here are told from it. */
const ended: Reducer = (event, state, out) => {
  started(event, state, out);
  const response = isFields(event["response"]) ? event["response"] : {};
  const output = Array.isArray(response["output"]) ? (response["output"] as unknown[]) : [];
  for (const [i, wire] of output.entries()) {
    if (isFields(wire)) finishItem(wire, itemOf({ output_index: i }, state, out), state, out);
  }
  for (const item of state.items.values()) {
    if (item.call !== undefined && !item.call.custom && !item.told.has("arguments")) sayArguments(item, "{}", out);
  }
  const status = event["type"] === "response.incomplete" ? "incomplete" : response["status"];
  const finish = finishOf({ ...response, status }, { calledTools: state.calls > 0, refused: state.refused });
  out.push({ type: "finish", finish });
  const usage = usageOf(response, state.searches);
  if (usage !== undefined) out.push({ type: "usage", usage });
  state.ended = true;
  out.push({ type: "end" });
};

/** Event type → what it says. Types that are not here say nothing that a later event doesn't say too. */
const reducers = new Map<string, Reducer>([
  ["response.created", started],
  ["response.queued", started],
  ["response.in_progress", started],
  [
    "response.output_item.added",
    (event, state, out) => {
      const item = itemOf(event, state, out);
      const wire = event["item"];
      if (!isFields(wire)) return;
      if (wire["type"] === "function_call" || wire["type"] === "custom_tool_call") startCall(item, wire, state, out);
      if (wire["type"] === "reasoning") item.reasoningId ??= unsealed(undefined, wire["id"]).id;
    },
  ],
  [
    "response.output_text.delta",
    (event, state, out) => {
      const item = itemOf(event, state, out);
      sayText(item, contentIndex(event), textOr(event["delta"], ""), logprobsOf(event["logprobs"]), out);
    },
  ],
  [
    "response.output_text.done",
    (event, state, out) => finishContent(state, itemOf(event, state, out), contentIndex(event), event, out),
  ],
  [
    "response.refusal.delta",
    (event, state, out) =>
      sayRefusal(state, itemOf(event, state, out), contentIndex(event), textOr(event["delta"], ""), out),
  ],
  [
    "response.refusal.done",
    (event, state, out) => finishContent(state, itemOf(event, state, out), contentIndex(event), event, out),
  ],
  ["response.reasoning_text.delta", reasoningDelta("own", "content_index")],
  ["response.reasoning_text.done", reasoningDone("own", "content_index")],
  ["response.reasoning_summary_text.delta", reasoningDelta("summary", "summary_index")],
  ["response.reasoning_summary_text.done", reasoningDone("summary", "summary_index")],
  ["response.function_call_arguments.delta", argumentsDelta],
  ["response.function_call_arguments.done", argumentsDone("arguments")],
  ["response.custom_tool_call_input.delta", argumentsDelta],
  ["response.custom_tool_call_input.done", argumentsDone("input")],
  [
    "response.output_item.done",
    (event, state, out) => {
      const item = itemOf(event, state, out);
      if (isFields(event["item"])) finishItem(event["item"], item, state, out);
    },
  ],
  ["response.completed", ended],
  ["response.incomplete", ended],
  ["response.failed", failed],
  ["response.cancelled", failed],
  ["error", failed],
]);
