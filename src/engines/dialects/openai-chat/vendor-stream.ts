import type { ChatEvent } from "../../../kernel/chat.ts";
import type { ServiceClass } from "../../../kernel/usage.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { VendorStream } from "../port.ts";
import { AudioPieces } from "./audio-pieces.ts";
import {
  argumentsOf,
  audioOf,
  citationsOf,
  imagesOf,
  logprobsOf,
  madeUpCallId,
  reasoningOf,
  textsOf,
  thoughtSignatureOf,
  thoughtsIn,
} from "./decode-response.ts";
import { usageOf } from "./usage.ts";
import { decodeError, finishOf, serviceClassOf } from "./words.ts";

interface Call {
  index: number;
  id: string;
  name: string;
  /** Arguments that came before the name did. */
  held: string;
  custom: boolean;
  started: boolean;
  empty: boolean;
}

interface Choice {
  /** What its events say of it: nothing for the first. */
  of: { choice?: number };
  calls: Call[];
  /** Which call each wire index means now. */
  byWireIndex: Map<unknown, Call>;
  audio?: AudioPieces;
}

interface State {
  answerId: string;
  model: string;
  serviceClass: ServiceClass | undefined;
  started: boolean;
  ended: boolean;
  /** Words of the first choice so far: citations mark places in them. */
  answer: string;
  first: Choice;
  others: Map<number, Choice>;
}

/** OpenAI's own bound; what a vendor numbers beyond it is no choice. */
const mostChoices = 128;

const openChoice = (of: Choice["of"]): Choice => ({ of, calls: [], byWireIndex: new Map() });

export function openVendorStream(): VendorStream {
  const state: State = {
    answerId: "",
    model: "",
    serviceClass: undefined,
    started: false,
    ended: false,
    answer: "",
    first: openChoice({}),
    others: new Map(),
  };
  return {
    decode({ event, data }) {
      const out: ChatEvent[] = [];
      if (state.ended || data === "") return out;
      if (data === "[DONE]" || data.trim() === "[DONE]") {
        state.ended = true;
        out.push({ type: "end" });
      } else readChunk(event, data, state, out);
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
  const choices = Array.isArray(chunk["choices"]) ? (chunk["choices"] as unknown[]) : [];
  // Azure opens with a chunk of filter results that names no model.
  if (!state.started && (state.model !== "" || choices.length > 0)) {
    state.started = true;
    out.push({ type: "start", model: state.model });
  }
  for (let i = 0; i < choices.length && !state.ended; i++) {
    const fields = choices[i];
    const choice = isFields(fields) ? choiceOf(fields["index"], state) : undefined;
    if (choice !== undefined) readChoice(fields as Fields, choice, state, out);
  }
  if (!state.ended) readUsage(chunk, state, out);
}

/** Present-day OpenAI names the tier on every chunk, and counts on the last. */
function readUsage(chunk: Fields, state: State, out: ChatEvent[]): void {
  const tier = chunk["service_tier"];
  if (typeof tier === "string") state.serviceClass = serviceClassOf(tier);
  const usage = usageOf(chunk);
  if (usage === undefined) return;
  if (state.serviceClass !== undefined) usage.service_class = state.serviceClass;
  out.push({ type: "usage", usage });
}

function choiceOf(index: unknown, state: State): Choice | undefined {
  if (index === 0 || index === undefined || index === null) return state.first;
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= mostChoices) return undefined;
  const known = state.others.get(index);
  if (known !== undefined) return known;
  const choice = openChoice({ choice: index });
  state.others.set(index, choice);
  return choice;
}

function parseChunk(data: string): Fields | undefined {
  try {
    const chunk: unknown = JSON.parse(data);
    return isFields(chunk) ? chunk : undefined;
  } catch {
    return undefined;
  }
}

function fail(state: State, out: ChatEvent[], message: string, code = "invalid_stream"): void {
  state.ended = true;
  out.push({ type: "error", message, code });
}

type Reducer = (value: unknown, choice: Choice, state: State, out: ChatEvent[]) => void;

/** Field of a delta → what it says. In the order in which one chunk that holds several is to be read. */
const reducers: readonly (readonly [field: string, reduce: Reducer])[] = [
  [
    "content",
    (value, choice, state, out) => {
      for (const thought of thoughtsIn(value)) out.push({ type: "reasoning", text: thought, ...choice.of });
      for (const text of textsOf(value)) {
        if (text === "") continue;
        out.push({ type: "text", text, ...choice.of });
        if (choice === state.first) state.answer += text;
      }
    },
  ],
  [
    "refusal",
    (value, choice, _state, out) => {
      const text = textOr(value, "");
      if (text !== "") out.push({ type: "text", text, refusal: true, ...choice.of });
    },
  ],
  [
    "images",
    (value, choice, _state, out) => {
      for (const part of imagesOf(value)) out.push({ type: "part", part, ...choice.of });
    },
  ],
  [
    "audio",
    (value, choice, _state, out) => {
      const audio = audioOf(value);
      if (audio === undefined) return;
      if (audio.data !== undefined) audio.data = (choice.audio ??= new AudioPieces()).add(audio.data);
      out.push({ ...audio, ...choice.of });
    },
  ],
  [
    "annotations",
    (value, choice, state, out) => {
      const citations = choice === state.first ? citationsOf(value, state.answer) : [];
      if (citations.length > 0) out.push({ type: "citations", citations });
    },
  ],
  [
    "tool_calls",
    (value, choice, state, out) => {
      if (!Array.isArray(value)) return;
      for (const piece of value as unknown[]) if (isFields(piece)) readCallPiece(piece, choice, state, out);
    },
  ],
  [
    "function_call",
    (value, choice, state, out) => {
      if (isFields(value)) readCallPiece({ function: value }, choice, state, out);
    },
  ],
];

function readChoice(fields: Fields, choice: Choice, state: State, out: ChatEvent[]): void {
  const delta = fields["delta"];
  if (isFields(delta)) {
    const { content } = delta;
    if (choice.audio !== undefined && !isFields(delta["audio"])) endSpeech(choice, out);
    // Nearly every chunk is text of the first answer and nothing else: it goes without the table.
    if (typeof content === "string" && content !== "" && choice === state.first && isLone(delta)) {
      out.push({ type: "text", text: content });
      state.answer += content;
    } else readDelta(delta, choice, state, out);
  }
  if (fields["logprobs"] !== undefined && fields["logprobs"] !== null) readLogprobs(fields["logprobs"], choice, out);
  const reason = fields["finish_reason"];
  if (reason === undefined || reason === null || reason === "") return;
  if (reason === "error") return fail(state, out, "The vendor ended its stream with an error.", "upstream_error");
  for (const call of choice.calls)
    if (call.started && call.empty && !call.custom) pushArguments(call, "{}", choice, out);
  endSpeech(choice, out);
  out.push({ type: "finish", finish: finishOf(reason), ...choice.of });
}

/** The last bytes of a speech stand before whatever comes after it. */
function endSpeech(choice: Choice, out: ChatEvent[]): void {
  const data = choice.audio?.end() ?? "";
  if (data !== "") out.push({ type: "audio", data, ...choice.of });
}

function isLone(delta: Fields): boolean {
  for (const key in delta) if (key !== "content" && key !== "role") return false;
  return true;
}

function readDelta(delta: Fields, choice: Choice, state: State, out: ChatEvent[]): void {
  for (const thought of reasoningOf(delta)) out.push({ ...thought, ...choice.of });
  for (const [field, reduce] of reducers) {
    const value = delta[field];
    if (value !== undefined && value !== null) reduce(value, choice, state, out);
  }
}

/** They belong to the text beside them; a token that is no text yet (half a character) has a chunk of its own. */
function readLogprobs(value: unknown, choice: Choice, out: ChatEvent[]): void {
  const logprobs = logprobsOf(value);
  if (logprobs === undefined || logprobs.length === 0) return;
  const last = out.at(-1);
  if (last?.type === "text" && last.choice === choice.of.choice) last.logprobs = logprobs;
  else out.push({ type: "text", text: "", logprobs, ...choice.of });
}

function readCallPiece(piece: Fields, choice: Choice, state: State, out: ChatEvent[]): void {
  const custom = isFields(piece["custom"]) ? piece["custom"] : undefined;
  const spec = custom ?? (isFields(piece["function"]) ? piece["function"] : {});
  const name = textOr(spec["name"], "");
  const call = callOf(piece, name, choice);
  call.name ||= name;
  call.custom ||= custom !== undefined;
  if (!call.started && call.name !== "") {
    call.started = true;
    endSpeech(choice, out);
    const suffix = choice.of.choice === undefined ? "" : `_${choice.of.choice}`;
    call.id ||= madeUpCallId(`${state.answerId}${suffix}`, call.index);
    const signature = thoughtSignatureOf(piece);
    out.push({
      type: "tool_call_start",
      index: call.index,
      id: call.id,
      name: call.name,
      ...(call.custom && { custom: true }),
      ...(signature !== undefined && { signature }),
      ...choice.of,
    });
  }
  const text = custom === undefined ? argumentsOf(spec["arguments"]) : textOr(custom["input"], "");
  if (!call.started) call.held += text;
  else {
    pushArguments(call, call.held + text, choice, out);
    call.held = "";
  }
}

function pushArguments(call: Call, text: string, choice: Choice, out: ChatEvent[]): void {
  if (text === "") return;
  call.empty = false;
  out.push({ type: "tool_call_delta", index: call.index, arguments: text, ...choice.of });
}

/** Vendors differ: no index at all, or index 0 for every call with a fresh id each time. */
function callOf(piece: Fields, name: string, { calls, byWireIndex }: Choice): Call {
  const id = textOr(piece["id"], "");
  const wireIndex = piece["index"] ?? (id === "" ? undefined : id);
  const known = wireIndex === undefined ? calls.at(-1) : byWireIndex.get(wireIndex);
  if (known !== undefined && (id === "" || name === "" || known.id === "" || known.id === id)) {
    if (!known.started) known.id ||= id;
    return known;
  }
  const call: Call = { index: calls.length, id, name: "", held: "", custom: false, started: false, empty: true };
  calls.push(call);
  byWireIndex.set(wireIndex, call);
  return call;
}

/**
 * Whether this event is the frame that `include_usage` adds, which says nothing but usage: withheld from a client that
 * didn't ask for it. Azure's opening frame (no choices, no usage) is not one.
 */
export function isUsageFrame(data: string): boolean {
  // Asked for every event of a stream: the cheap signs first.
  if (!data.includes('_tokens"') || !/"choices"\s*:\s*\[\s*\]/.test(data)) return false;
  const chunk = parseChunk(data);
  return (
    chunk !== undefined && Array.isArray(chunk["choices"]) && chunk["choices"].length === 0 && isFields(chunk["usage"])
  );
}
