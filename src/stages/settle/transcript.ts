/** Assembles what a stream said into a whole answer, for the record, the cache and repeated idempotency keys. */
import type { ChatEvent, ChatPart, ChatResponse } from "../../kernel/chat.ts";
import type { Usage } from "../../kernel/usage.ts";

export class Transcript {
  #model = "";
  #texts: string[] = [];
  #reasoning: string[] = [];
  #signature: string | undefined;
  #calls = new Map<number, { id: string; name: string; arguments: string }>();
  #finish: ChatResponse["finish"] | undefined;
  #usage: Usage | undefined;

  hear(events: readonly ChatEvent[]): void {
    for (const event of events) this.#hearOne(event);
  }

  #hearOne(event: ChatEvent): void {
    switch (event.type) {
      case "start":
        this.#model = event.model;
        break;
      case "text":
        this.#texts.push(event.text);
        break;
      case "reasoning":
        this.#reasoning.push(event.text);
        this.#signature = event.signature ?? this.#signature;
        break;
      case "tool_call_start":
        this.#calls.set(event.index, { id: event.id, name: event.name, arguments: "" });
        break;
      case "tool_call_delta": {
        const call = this.#calls.get(event.index);
        if (call) call.arguments += event.arguments;
        break;
      }
      case "finish":
        this.#finish = event.finish;
        break;
      case "usage":
        this.#usage = event.usage;
        break;
      case "end":
      case "error":
        break;
    }
  }

  response(): ChatResponse {
    const parts: ChatPart[] = [];
    if (this.#reasoning.length > 0)
      parts.push({
        type: "reasoning",
        text: this.#reasoning.join(""),
        ...(this.#signature !== undefined && { signature: this.#signature }),
      });
    if (this.#texts.length > 0) parts.push({ type: "text", text: this.#texts.join("") });
    for (const call of this.#calls.values()) parts.push({ type: "tool_call", ...call });
    return {
      model: this.#model,
      parts,
      finish: this.#finish ?? "length",
      ...(this.#usage && { usage: this.#usage }),
    };
  }
}
