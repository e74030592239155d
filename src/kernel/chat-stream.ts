/** A stream as one answer, and one answer as a stream: for rungs that are judged whole, caches, and idempotent replays. */
import type { ChatChoice, ChatEvent, ChatPart, ChatResponse, MediaPart } from "./chat.ts";

export interface ChatCollector {
  add(event: ChatEvent): void;
  /** Undefined until the dialect's own end was seen: a truncated stream is never an answer. */
  response(): ChatResponse | undefined;
  /** What has come so far, whole or not: for records, guards and settling a cut stream. */
  partial(): ChatResponse;
}

type Of<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;
type AudioPart = Extract<MediaPart, { type: "audio" }>;

/** No vendor answers a request with more; what lies beyond is not a choice. */
const mostChoices = 128;

export function openCollector(): ChatCollector {
  const first: ChatResponse = { model: "", parts: [], finish: "stop" };
  const choices: ChatChoice[] = [first];
  const calls = new Map<string, Extract<ChatPart, { type: "tool_call" }>>();
  let ended = false;
  let failed = false;

  function choiceOf(event: { choice?: number }): ChatChoice {
    const index = event.choice ?? 0;
    if (index === 0) return first;
    if (index < 0 || index >= mostChoices) return { parts: [], finish: "stop" };
    while (choices.length <= index) choices.push({ parts: [], finish: "stop" });
    return choices[index]!;
  }

  function addText({ text, refusal, logprobs, choice }: Of<"text">): void {
    const target = choice === undefined ? first : choiceOf({ choice });
    const last = target.parts.at(-1);
    if (last?.type === "text" && last.refusal === refusal) last.text += text;
    else target.parts.push({ type: "text", text, ...(refusal === undefined ? {} : { refusal }) });
    if (logprobs) (target.logprobs ??= []).push(...logprobs);
  }

  function addReasoning(event: Of<"reasoning">): void {
    const { text, signature, encrypted, id } = event;
    const { parts } = choiceOf(event);
    const last = parts.at(-1);
    const open = last?.type === "reasoning" && last.signature === undefined && last.encrypted === undefined;
    // A seal closes the words of the same item; without an id it stands for a block of its own.
    const same =
      open && (encrypted === undefined ? id === undefined || id === last.id : id !== undefined && id === last.id);
    if (same) {
      last.text += text;
      if (signature !== undefined) last.signature = signature;
      if (encrypted !== undefined) last.encrypted = encrypted;
      return;
    }
    parts.push({
      type: "reasoning",
      text,
      ...(signature === undefined ? {} : { signature }),
      ...(encrypted === undefined ? {} : { encrypted }),
      ...(id === undefined ? {} : { id }),
    });
  }

  function addAudio(event: Of<"audio">): void {
    const { parts } = choiceOf(event);
    const last = parts.at(-1);
    const open: AudioPart | undefined =
      last?.type === "audio" && (event.id === undefined || last.id === event.id) ? last : undefined;
    const part: AudioPart = open ?? { type: "audio" };
    if (!open) parts.push(part);
    if (event.id !== undefined) part.id = event.id;
    if (event.format !== undefined) part.format = event.format;
    if (event.expires_at !== undefined) part.expires_at = event.expires_at;
    if (event.data !== undefined) part.data = (part.data ?? "") + event.data;
    if (event.transcript !== undefined) part.transcript = (part.transcript ?? "") + event.transcript;
  }

  const collectors: { [Type in ChatEvent["type"]]: (event: Of<Type>) => void } = {
    start: ({ model, vendor_id }) => {
      first.model = model;
      if (vendor_id !== undefined) first.vendor_id = vendor_id;
    },
    text: addText,
    reasoning: addReasoning,
    tool_call_start: (event) => {
      const { index, id, name, custom, signature } = event;
      const call: Extract<ChatPart, { type: "tool_call" }> = { type: "tool_call", id, name, arguments: "" };
      if (custom) call.custom = true;
      if (signature !== undefined) call.signature = signature;
      calls.set(`${event.choice ?? 0}/${index}`, call);
      choiceOf(event).parts.push(call);
    },
    tool_call_delta: ({ index, arguments: text, choice }) => {
      const call = calls.get(`${choice ?? 0}/${index}`);
      if (call !== undefined) call.arguments += text;
    },
    part: (event) => void choiceOf(event).parts.push(event.part),
    audio: addAudio,
    citations: ({ citations }) => {
      first.citations = [...(first.citations ?? []), ...citations];
    },
    finish: (event) => {
      const choice = choiceOf(event);
      choice.finish = event.finish;
      if (event.stop_sequence !== undefined) choice.stop_sequence = event.stop_sequence;
    },
    usage: ({ usage }) => {
      first.usage = usage;
      if (usage.service_class !== undefined) first.service_class = usage.service_class;
    },
    end: () => {
      ended = true;
    },
    error: () => {
      failed = true;
    },
  };

  const partial = (): ChatResponse => {
    if (choices.length > 1) first.others = choices.slice(1);
    return first;
  };
  return {
    add(event) {
      // Nearly every event is text: it goes without the table.
      if (event.type === "text") addText(event);
      else (collectors[event.type] as (event: ChatEvent) => void)(event);
    },
    response: () => (ended && !failed ? partial() : undefined),
    partial,
  };
}

/** The events that a stream of this answer would have been, from start to end. */
export function eventsOf(response: ChatResponse): ChatEvent[] {
  const { model, vendor_id } = response;
  const events: ChatEvent[] = [{ type: "start", model, ...(vendor_id === undefined ? {} : { vendor_id }) }];
  addEventsOf(response, undefined, events);
  for (const [i, other] of (response.others ?? []).entries()) addEventsOf(other, i + 1, events);
  if (response.citations !== undefined) events.push({ type: "citations", citations: response.citations });
  addFinishOf(response, undefined, events);
  for (const [i, other] of (response.others ?? []).entries()) addFinishOf(other, i + 1, events);
  if (response.usage !== undefined) events.push({ type: "usage", usage: response.usage });
  events.push({ type: "end" });
  return events;
}

function addEventsOf({ parts, logprobs }: ChatChoice, choice: number | undefined, events: ChatEvent[]): void {
  const of = choice === undefined ? {} : { choice };
  let calls = 0;
  let probabilities = logprobs;
  for (const part of parts) {
    if (part.type === "text") {
      const { cache: _cache, ...text } = part;
      events.push({ ...text, ...(probabilities && { logprobs: probabilities }), ...of });
      probabilities = undefined;
    } else if (part.type === "reasoning" || part.type === "audio") events.push({ ...part, ...of });
    else if (part.type === "tool_call") {
      const index = calls++;
      const { id, name, custom, signature } = part;
      events.push({
        type: "tool_call_start",
        index,
        id,
        name,
        ...(custom && { custom }),
        ...(signature !== undefined && { signature }),
        ...of,
      });
      events.push({ type: "tool_call_delta", index, arguments: part.arguments, ...of });
    } else if (part.type !== "tool_result") events.push({ type: "part", part, ...of });
  }
}

function addFinishOf({ finish, stop_sequence }: ChatChoice, choice: number | undefined, events: ChatEvent[]): void {
  events.push({
    type: "finish",
    finish,
    ...(stop_sequence === undefined ? {} : { stop_sequence }),
    ...(choice === undefined ? {} : { choice }),
  });
}
