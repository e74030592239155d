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

export const openCollector = (): ChatCollector => new Collector();

/** A class, and no closures: thousands of streams may be open. */
class Collector implements ChatCollector {
  readonly #first: ChatResponse = { model: "", parts: [], finish: "stop" };
  readonly #choices: ChatChoice[] = [this.#first];
  #calls: Map<string, Extract<ChatPart, { type: "tool_call" }>> | undefined;
  #ended = false;
  #failed = false;

  add(event: ChatEvent): void {
    switch (event.type) {
      case "text":
        return this.#addText(event);
      case "reasoning":
        return this.#addReasoning(event);
      case "tool_call_start":
        return this.#addCall(event);
      case "tool_call_delta": {
        const call = this.#calls?.get(`${event.choice ?? 0}/${event.index}`);
        if (call !== undefined) call.arguments += event.arguments;
        return;
      }
      case "part":
        return void this.#choiceOf(event).parts.push(event.part);
      case "audio":
        return this.#addAudio(event);
      case "end":
        this.#ended = true;
        return;
      case "error":
        this.#failed = true;
        return;
      default:
        this.#addFact(event);
    }
  }

  response(): ChatResponse | undefined {
    return this.#ended && !this.#failed ? this.partial() : undefined;
  }

  partial(): ChatResponse {
    if (this.#choices.length > 1) this.#first.others = this.#choices.slice(1);
    return this.#first;
  }

  #choiceOf(event: { choice?: number }): ChatChoice {
    const index = event.choice ?? 0;
    if (index === 0) return this.#first;
    if (index < 0 || index >= mostChoices) return { parts: [], finish: "stop" };
    while (this.#choices.length <= index) this.#choices.push({ parts: [], finish: "stop" });
    return this.#choices[index]!;
  }

  #addText({ text, refusal, logprobs, choice }: Of<"text">): void {
    const target = choice === undefined ? this.#first : this.#choiceOf({ choice });
    const last = target.parts.at(-1);
    if (last?.type === "text" && last.refusal === refusal) last.text += text;
    else target.parts.push({ type: "text", text, ...(refusal === undefined ? {} : { refusal }) });
    if (logprobs) (target.logprobs ??= []).push(...logprobs);
  }

  #addReasoning(event: Of<"reasoning">): void {
    const { text, signature, encrypted, id } = event;
    const { parts } = this.#choiceOf(event);
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

  #addAudio(event: Of<"audio">): void {
    const { parts } = this.#choiceOf(event);
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

  #addCall(event: Of<"tool_call_start">): void {
    const { index, id, name, custom, signature } = event;
    const call: Extract<ChatPart, { type: "tool_call" }> = { type: "tool_call", id, name, arguments: "" };
    if (custom) call.custom = true;
    if (signature !== undefined) call.signature = signature;
    (this.#calls ??= new Map()).set(`${event.choice ?? 0}/${index}`, call);
    this.#choiceOf(event).parts.push(call);
  }

  /** What is said of an answer besides its parts. */
  #addFact(event: Of<"start" | "citations" | "finish" | "usage">): void {
    const first = this.#first;
    switch (event.type) {
      case "start":
        first.model = event.model;
        if (event.vendor_id !== undefined) first.vendor_id = event.vendor_id;
        return;
      case "citations":
        first.citations = [...(first.citations ?? []), ...event.citations];
        return;
      case "finish": {
        const choice = this.#choiceOf(event);
        choice.finish = event.finish;
        if (event.stop_sequence !== undefined) choice.stop_sequence = event.stop_sequence;
        return;
      }
      case "usage":
        first.usage = event.usage;
        if (event.usage.service_class !== undefined) first.service_class = event.usage.service_class;
    }
  }
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
