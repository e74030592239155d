/** What routing asks again and again about one decision, computed once and only if asked. */
import type { ChatPart } from "../../kernel/chat.ts";
import type { Capability } from "../../kernel/snapshot.ts";
import type { Decision } from "../../path/context.ts";
import { estimateRequestTokens, estimateTaskTokens, estimateTokens } from "../reserve/index.ts";

export class Facts {
  readonly d: Decision;
  #tokens: number | undefined;
  #media: ReadonlySet<ChatPart["type"]> | undefined;

  constructor(d: Decision) {
    this.d = d;
  }

  /** Input tokens, estimated, the use case's own prompt included. */
  get tokens(): number {
    const { request, task, useCase } = this.d;
    const asked = () => (request ? estimateRequestTokens(request) : task ? estimateTaskTokens(task) : 0);
    this.#tokens ??= asked() + estimateTokens(useCase.prompt ?? "");
    return this.#tokens;
  }

  needs(capability: Capability): boolean {
    const { request } = this.d;
    switch (capability) {
      case "tools":
        return (request?.tools?.length ?? 0) > 0;
      case "vision":
        return this.#holds("image");
      case "audio":
        return request?.audio !== undefined || this.#holds("audio");
      case "files":
        return this.#holds("file");
      case "structured_output":
        return request?.response_format !== undefined && request.response_format.type !== "text";
    }
  }

  #holds(type: ChatPart["type"]): boolean {
    this.#media ??= new Set(this.d.request?.messages.flatMap(({ parts }) => parts.map((part) => part.type)) ?? []);
    return this.#media.has(type);
  }

  get strict(): boolean {
    return this.d.useCase.strict === true || this.d.call.context.strict === true;
  }
}
