/** Streams as vendors write them, record by record, for raw vendors to cut, join and break. */

export type Vendor = "oa-main" | "an-main";

const chunk = (delta: object, finish: string | null = null, more: object = {}) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
const named = (type: string, value: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;

export interface Wire {
  opening: string;
  content(text: string): string;
  /** Content is complete and the reason told; the dialect's terminator is still to come. */
  finish: string;
  terminator: string;
}

const openai: Wire = {
  opening: chunk({ role: "assistant", content: "" }),
  content: (text) => chunk({ content: text }),
  finish: `${chunk({}, "stop")}data: ${JSON.stringify({ id: "c", choices: [], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } })}\n\n`,
  terminator: "data: [DONE]\n\n",
};

const message = { id: "m", type: "message", role: "assistant", model: "m", content: [], stop_reason: null };

const anthropic: Wire = {
  opening:
    named("message_start", {
      message: { ...message, stop_sequence: null, usage: { input_tokens: 7, output_tokens: 1 } },
    }) +
    named("ping", {}) +
    named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  content: (text) => named("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  finish:
    named("content_block_stop", { index: 0 }) +
    named("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 5 } }),
  terminator: named("message_stop", {}),
};

export const wires: Record<Vendor, Wire> = { "oa-main": openai, "an-main": anthropic };

/** What Weir asks of an OpenAI vendor and withholds from a client who didn't. */
export const usageRecord = openai.finish.slice(openai.finish.indexOf("\n\n") + 2);

export const wholeStream = (vendor: Vendor, ...texts: string[]): string => {
  const wire = wires[vendor];
  return wire.opening + texts.map(wire.content).join("") + wire.finish + wire.terminator;
};
