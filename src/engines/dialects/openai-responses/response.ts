import type { ChatPart, ChatRequest, ChatResponse } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import { decodeError } from "../openai-chat/words.ts";
import type { AnswerId, DecodedResponse } from "../port.ts";
import { encodeReasoningAsk, encodeTool, encodeToolChoice } from "./asks.ts";
import {
  type ItemStatus,
  callItem,
  contentOf,
  encodeCitations,
  encodeLogprobs,
  logprobsOf,
  messageItem,
  partsOf,
  reasoningItem,
  refusalContent,
  textContent,
  wholeItem,
} from "./items.ts";
import { joinReasoning, madeUpReasoningId, sealOf } from "./reasoning.ts";
import { encodeStatus, encodeUsage, finishOf, isWebSearch, itemName, said, tierOf, usageOf } from "./words.ts";

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  if (isFields(body["error"])) return { ok: false, message: decodeError(200, body).message };
  const output = body["output"];
  if (!Array.isArray(output)) return { ok: false, message: "The vendor's answer has no output array." };
  const status = textOr(body["status"], "completed");
  if (status !== "completed" && status !== "incomplete") {
    return { ok: false, message: `The vendor's answer is not an answer: its status is ${status.slice(0, 40)}.` };
  }
  const items = (output as unknown[]).filter(isFields);
  const parts = items.flatMap(partsOf);
  const usage = usageOf(body, items.filter(isWebSearch).length);
  const logprobs = items.flatMap(contentOf).flatMap((content) => logprobsOf(content["logprobs"]));
  const vendorId = textOr(body["id"], "");
  return {
    ok: true,
    response: {
      model: textOr(body["model"], ""),
      parts,
      finish: finishOf(body, said(parts)),
      ...(logprobs.length === 0 ? {} : { logprobs }),
      ...(usage === undefined ? {} : { usage }),
      ...(usage?.service_class === undefined ? {} : { service_class: usage.service_class }),
      ...(vendorId === "" ? {} : { vendor_id: vendorId }),
    },
  };
}

/** Every field of an answer but those that say what became of it. */
export function answerHead(id: AnswerId, request: ChatRequest, model: string): Fields {
  const { response_format: format, reasoning, tools = [] } = request;
  return {
    id: `resp_${id.decision}`,
    object: "response",
    created_at: Math.floor(id.createdMs / 1000),
    background: false,
    error: null,
    instructions: null,
    max_output_tokens: request.max_tokens ?? null,
    max_tool_calls: null,
    model: model || request.model,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: null, summary: null, ...encodeReasoningAsk(reasoning ?? {}) },
    safety_identifier: null,
    service_tier: null,
    store: false,
    temperature: request.temperature ?? null,
    text: { format: format ?? { type: "text" } },
    tool_choice: encodeToolChoice(request) ?? "auto",
    tools: tools.map(encodeTool),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? null,
    truncation: "disabled",
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  };
}

type Ending = Pick<ChatResponse, "finish" | "usage" | "service_class"> & { declined: boolean };

export function endingFields({ finish, usage, service_class, declined }: Ending): Fields {
  const tier = service_class === undefined ? undefined : tierOf(service_class);
  return {
    ...encodeStatus(finish, declined),
    ...(tier === undefined ? {} : { service_tier: tier }),
    usage: usage === undefined ? null : encodeUsage(usage),
  };
}

export function encodeResponse(response: ChatResponse, id: AnswerId, request: ChatRequest): unknown {
  const declined = response.parts.some((part) => part.type === "text" && part.refusal === true);
  const status = encodeStatus(response.finish, declined).status;
  return {
    ...answerHead(id, request, response.model),
    ...endingFields({ ...response, declined }),
    output: encodeOutput(response, id, status),
  };
}

function encodeOutput(response: ChatResponse, id: AnswerId, status: ItemStatus): Fields[] {
  const output: Fields[] = [];
  let texts: Fields[] = [];
  let logprobs = response.logprobs;
  for (const part of joinReasoning(response.parts)) {
    if (part.type === "text") {
      if (texts.length === 0) output.push(messageItem(itemName("msg", id, output.length), texts, "completed"));
      texts.push(
        part.refusal === true ? refusalContent(part.text) : textContent(part.text, encodeLogprobs(logprobs ?? [])),
      );
      if (part.refusal !== true) logprobs = undefined;
      continue;
    }
    const item = encodeItem(part, id, output.length);
    if (item === undefined) continue;
    texts = [];
    output.push(item);
  }
  cite(response, output, id);
  const last = output.at(-1);
  // An answer that was cut was cut in its last item.
  if (last?.["status"] === "completed" && (last["type"] === "message" || last["call_id"] !== undefined)) {
    last["status"] = status;
  }
  return output;
}

/** Citations stand at the last text; an answer without one gets an empty one to hold them. */
function cite({ citations = [] }: ChatResponse, output: Fields[], id: AnswerId): void {
  if (citations.length === 0) return;
  let last = output.flatMap(contentOf).findLast((content) => content["type"] === "output_text");
  if (last === undefined) {
    last = textContent("");
    output.push(messageItem(itemName("msg", id, output.length), [last], "completed"));
  }
  last["annotations"] = encodeCitations(citations, textOr(last["text"], ""));
}

function encodeItem(part: ChatPart, id: AnswerId, index: number): Fields | undefined {
  switch (part.type) {
    case "tool_call":
      return callItem(itemName(part.custom ? "ctc" : "fc", id, index), part, "completed");
    case "reasoning":
      return reasoningItem(part.id ?? madeUpReasoningId(id, index), part.text, sealOf(part));
    case "image":
    case "file":
    case "audio":
    case "native":
      return wholeItem(part, id, index);
    case "text":
    case "tool_result":
      return undefined;
  }
}
