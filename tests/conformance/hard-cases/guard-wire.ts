/** A vendor's streams with a card in them, at any place; the surfaces that ask for them; and what a client heard. */
import type { TimedHouse } from "../../faults/vendor-house.ts";
import { wires } from "./wire.ts";

export const card = "4111 1111 1111 1111";
export const before = "You asked for it: ";
export const after = ", valid for three years.";
const tool = { name: "pay", parameters: { type: "object", properties: {} } };
export const question = [{ role: "user", content: "Which card?" }];
export const surfaces: Record<string, object> = {
  "/v1/chat/completions": { messages: question, tools: [{ type: "function", function: tool }] },
  "/v1/responses": { input: "Which card?", tools: [{ type: "function", ...tool }] },
  "/v1/messages": {
    messages: question,
    max_tokens: 2000,
    thinking: { type: "enabled", budget_tokens: 1024 },
    tools: [{ name: "pay", input_schema: tool.parameters }],
  },
};
export const postTo = (house: TimedHouse, path: string, model: string, more: object = {}) =>
  fetch(house.origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${house.key}` },
    body: JSON.stringify({ model, ...surfaces[path], stream: true, ...more }),
  });

export type Where = "text" | "arguments" | "reasoning" | "refusal";
const openaiChunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
export const anthropicEvent = (type: string, value: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;

/** The vendor's records: these pieces of text, of a call's arguments, or of its reasoning. */
export function records(over: string, where: Where, pieces: readonly string[]): string[] {
  if (over === "oa") {
    const start = { index: 0, id: "call_1", type: "function", function: { name: "pay", arguments: "" } };
    const piece = (text: string) =>
      openaiChunk(
        where === "text"
          ? { content: text }
          : where === "reasoning"
            ? { reasoning_content: text }
            : where === "refusal"
              ? { refusal: text }
              : { tool_calls: [{ index: 0, function: { arguments: text } }] },
      );
    return [
      openaiChunk({ role: "assistant", content: "" }),
      ...(where === "arguments" ? [openaiChunk({ tool_calls: [start] })] : []),
      ...pieces.map(piece),
      ...(where === "reasoning" ? [openaiChunk({ content: "Well." })] : []),
      openaiChunk({}, where === "arguments" ? "tool_calls" : "stop"),
      "data: [DONE]\n\n",
    ];
  }
  const block = {
    text: { type: "text", text: "" },
    arguments: { type: "tool_use", id: "call_1", name: "pay", input: {} },
    reasoning: { type: "thinking", thinking: "", signature: "" },
    refusal: { type: "text", text: "" },
  }[where];
  const delta = (text: string) =>
    where === "text"
      ? { type: "text_delta", text }
      : where === "reasoning"
        ? { type: "thinking_delta", thinking: text }
        : { type: "input_json_delta", partial_json: text };
  const { opening } = wires["an-main"];
  const ends = (n: number) => anthropicEvent("content_block_stop", { index: n });
  return [
    opening.slice(0, opening.indexOf("event: content_block_start")),
    anthropicEvent("content_block_start", { index: 0, content_block: block }),
    ...pieces.map((text) => anthropicEvent("content_block_delta", { index: 0, delta: delta(text) })),
    ends(0),
    ...(where === "reasoning"
      ? [
          anthropicEvent("content_block_start", { index: 1, content_block: { type: "text", text: "" } }),
          anthropicEvent("content_block_delta", { index: 1, delta: { type: "text_delta", text: "Well." } }),
          ends(1),
        ]
      : []),
    anthropicEvent("message_delta", {
      delta: { stop_reason: where === "arguments" ? "tool_use" : "end_turn" },
      usage: { output_tokens: 9 },
    }),
    anthropicEvent("message_stop", {}),
  ];
}

/** All words that a client heard, whichever event carries them; escapes undone. */
export const heardIn = (body: string): string =>
  [
    ...body.matchAll(
      /"(?:content|refusal|reasoning_content|arguments|partial_json|text|thinking|delta)":("(?:[^"\\]|\\.)*")/g,
    ),
  ]
    .map(([, text]) => JSON.parse(text!) as string)
    .join("");

export const says = {
  refusal: [before, after],
  text: [before, after],
  reasoning: [before, after],
  arguments: ['{"note":"asked","card":"', '"}'],
} as const;
export const wholeAnswer = (text: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
// Anthropic's vendors refuse in text; OpenAI's have a field for it.
