/** What routing asks again and again about one decision, computed once and only if asked. */
import type { ChatPart } from "../../kernel/chat.ts";
import type { Decision } from "../../path/context.ts";
import { estimateRequestTokens, estimateTokens } from "../reserve/index.ts";

export class Facts {
  readonly d: Decision;
  #tokens: number | undefined;
  #media: ReadonlySet<ChatPart["type"]> | undefined;

  constructor(d: Decision) {
    this.d = d;
  }

  /** Input tokens, estimated, the use case's own prompt included. */
  get tokens(): number {
    const { request, useCase } = this.d;
    this.#tokens ??= (request ? estimateRequestTokens(request) : 0) + estimateTokens(useCase.prompt ?? "");
    return this.#tokens;
  }

  /** Kinds of parts that the request holds. */
  get media(): ReadonlySet<ChatPart["type"]> {
    this.#media ??= new Set(this.d.request?.messages.flatMap(({ parts }) => parts.map(({ type }) => type)) ?? []);
    return this.#media;
  }

  get strict(): boolean {
    return this.d.useCase.strict === true || this.d.call.context.strict === true;
  }
}
