/** What a call used: as the vendor reported it where that can be true, else counted here and flagged. */
import type { ChatResponse } from "../../kernel/chat.ts";
import type { Usage } from "../../kernel/usage.ts";
import { estimateTokens } from "../reserve/index.ts";

// No model reads or writes a billion tokens in one call: such a report is a fault of the vendor's, and is estimated.
const mostTokens = 1e9;

export function credible(usage: Usage | undefined): Usage | undefined {
  if (!usage) return undefined;
  for (const value of Object.values(usage))
    if (typeof value === "number" && !(Number.isInteger(value) && value >= 0 && value <= mostTokens)) return undefined;
  return usage;
}

export const estimatedUsage = (input: number, output: string): Usage => ({
  input,
  cached_input: 0,
  output: estimateTokens(output),
  estimated: true,
});

/** Every word of every choice, tool arguments included: all of it was generated. */
export function generatedText(response: ChatResponse): string {
  let text = "";
  for (const choice of [response, ...(response.others ?? [])])
    for (const part of choice.parts) {
      if (part.type === "text" || part.type === "reasoning") text += part.text;
      else if (part.type === "tool_call") text += part.name + part.arguments;
      else if (part.type === "audio") text += part.transcript ?? "";
    }
  return text;
}
