import type {
  ChatChoice,
  ChatPart,
  ChatRequest,
  ChatResponse,
  FinishReason,
  TokenLogprob,
} from "../../../kernel/chat.ts";
import { encodeUsage } from "../openai-chat/usage.ts";
import type { AnswerId } from "../port.ts";

/** The API knows three; tools can't be called in it. */
const finishes: Record<FinishReason, "stop" | "length" | "content_filter"> = {
  stop: "stop",
  tool_calls: "stop",
  length: "length",
  pause: "length",
  content_filter: "content_filter",
  refusal: "content_filter",
};

export const encodeFinish = (finish: FinishReason): string => finishes[finish];

export const answerHead = (id: AnswerId, model: string) => ({
  id: `cmpl-${id.decision}`,
  object: "text_completion",
  created: Math.floor(id.createdMs / 1000),
  model,
});

export function encodeResponse(response: ChatResponse, id: AnswerId, request: ChatRequest): unknown {
  const choices: ChatChoice[] = [response, ...(response.others ?? [])];
  return {
    ...answerHead(id, response.model || request.model),
    choices: choices.map(({ parts, logprobs, finish }, index) => ({
      text: parts.map(textOf).join(""),
      index,
      logprobs: logprobs === undefined ? null : encodeLogprobs(logprobs, 0),
      finish_reason: encodeFinish(finish),
    })),
    ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
  };
}

const textOf = (part: ChatPart): string => (part.type === "text" ? part.text : "");

/** `offset`: where in the answer the first of these tokens begins. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[], offset: number): unknown {
  let at = offset;
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(
      ({ top }) => top && Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: logprobs.map(({ token }) => (at += token.length) - token.length),
  };
}
