/** What a request asks for and an answer repeats: tools, their choice, the shape of the text, reasoning. */
import type { ChatRequest, ChatTool, ReasoningAsk } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";

const noArguments = { type: "object", properties: {} };

/** Unlike elsewhere, a function is strict here unless it says otherwise. */
export const encodeTool = ({ name, description, parameters, strict, custom }: ChatTool): Fields =>
  custom
    ? { type: "custom", name, ...(description === undefined ? {} : { description }) }
    : {
        type: "function",
        name,
        ...(description === undefined ? {} : { description }),
        parameters: parameters ?? noArguments,
        strict: strict ?? false,
      };

export function encodeToolChoice({ tool_choice, tools }: Pick<ChatRequest, "tool_choice" | "tools">): unknown {
  if (tool_choice === undefined || typeof tool_choice === "string") return tool_choice;
  const custom = tools?.some((tool) => tool.custom === true && tool.name === tool_choice.name) ?? false;
  return { type: custom ? "custom" : "function", name: tool_choice.name };
}

export const encodeReasoningAsk = ({ effort, summary }: ReasoningAsk): Fields => ({
  ...(effort === undefined ? {} : { effort }),
  ...(summary === undefined || summary === "none" ? {} : { summary }),
});
