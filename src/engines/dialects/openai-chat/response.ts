import type { ChatPart, ChatResponse, Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { AnswerId, DecodedResponse } from "../port.ts";
import { decodeError, encodeUsage, finishOf, usageOf } from "./words.ts";

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  if (isFields(body["error"])) return { ok: false, message: decodeError(200, body).message };
  const choices = body["choices"];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!isFields(choice) || !isFields(choice["message"])) {
    return { ok: false, message: "The vendor's answer has no choices[0].message." };
  }
  const usage = usageOf(body["usage"]);
  return {
    ok: true,
    response: {
      model: textOr(body["model"], ""),
      parts: decodeMessage(choice["message"], textOr(body["id"], "")),
      finish: finishOf(choice["finish_reason"]),
      ...(usage === undefined ? {} : { usage }),
    },
  };
}

function decodeMessage(message: Fields, answerId: string): ChatPart[] {
  const parts: ChatPart[] = [];
  const reasoning = textOr(message["reasoning_content"], "") || textOr(message["reasoning"], "");
  const signature = message["reasoning_signature"];
  if (reasoning !== "") {
    parts.push({ type: "reasoning", text: reasoning, ...(typeof signature === "string" ? { signature } : {}) });
  }
  for (const text of textsOf(message["content"])) if (text !== "") parts.push({ type: "text", text });
  const refusal = textOr(message["refusal"], "");
  if (refusal !== "") parts.push({ type: "text", text: refusal, refusal: true });
  const calls = Array.isArray(message["tool_calls"]) ? (message["tool_calls"] as unknown[]) : [];
  for (const [i, call] of calls.entries()) {
    const spec = isFields(call) ? call["function"] : undefined;
    if (!isFields(call) || !isFields(spec)) continue;
    parts.push({
      type: "tool_call",
      id: textOr(call["id"], "") || madeUpCallId(answerId, i),
      name: textOr(spec["name"], ""),
      arguments: textOr(spec["arguments"], "") || "{}",
    });
  }
  return parts;
}

/** Some compatible servers send no call id; the conversation needs one that no other turn has. */
export const madeUpCallId = (answerId: string, index: number): string =>
  `call_${answerId.replaceAll(/[^a-zA-Z0-9_-]/g, "")}_${index}`;

/** Mistral answers with an array of parts where OpenAI answers with a string. */
export function textsOf(content: unknown): string[] {
  if (typeof content === "string") return [content];
  if (!Array.isArray(content)) return [];
  return (content as unknown[]).map((part) =>
    isFields(part) && part["type"] === "text" ? textOr(part["text"], "") : "",
  );
}

export function encodeResponse(response: ChatResponse, id: AnswerId): unknown {
  const content = joined(response.parts, (part) => part.type === "text" && part.refusal !== true);
  const refusal = joined(response.parts, (part) => part.type === "text" && part.refusal === true);
  const calls = response.parts.filter((part) => part.type === "tool_call");
  const citations = response.citations ?? [];
  return {
    id: answerName(id),
    object: "chat.completion",
    created: Math.floor(id.createdMs / 1000),
    model: response.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: content === "" && (calls.length > 0 || refusal !== "") ? null : content,
          refusal: refusal === "" ? null : refusal,
          ...encodeReasoning(response.parts),
          ...(citations.length === 0 ? {} : { annotations: encodeCitations(citations, content) }),
          ...(calls.length === 0
            ? {}
            : {
                tool_calls: calls.map((call) => ({
                  id: call.id,
                  type: "function",
                  function: { name: call.name, arguments: call.arguments },
                })),
              }),
        },
        logprobs: null,
        finish_reason: response.finish,
      },
    ],
    ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
  };
}

export const answerName = (id: AnswerId): string => `chatcmpl-${id.decision}`;

const joined = (parts: ChatPart[], wanted: (part: ChatPart) => boolean): string =>
  parts.map((part) => (wanted(part) && part.type === "text" ? part.text : "")).join("");

/** A signature proves one block: with several blocks joined into one text there is none to give. */
function encodeReasoning(parts: ChatPart[]): Fields {
  const blocks = parts.filter((part) => part.type === "reasoning" && part.encrypted === undefined);
  const text = blocks.map((part) => (part.type === "reasoning" ? part.text : "")).join("");
  const [only] = blocks;
  const signature = blocks.length === 1 && only?.type === "reasoning" ? only.signature : undefined;
  return {
    ...(text === "" ? {} : { reasoning_content: text }),
    ...(text === "" || signature === undefined ? {} : { reasoning_signature: signature }),
  };
}

/** OpenAI's citation marks a span of the answer: where the passage's words stand in it, else the whole answer. */
export function encodeCitations(citations: readonly Citation[], answer: string): unknown[] {
  return citations.map((citation) => {
    const found = answer.indexOf(citation.text);
    return {
      type: "url_citation",
      url_citation: {
        url: citation.source,
        title: citation.title,
        start_index: found === -1 ? 0 : found,
        end_index: found === -1 ? answer.length : found + citation.text.length,
      },
    };
  });
}
