/**
 * Wire formats of chats: what a client's body says, what a vendor must be sent, what either side's stream means.
 * Pure functions over values and bytes; whatever a translation can't carry is named, never lost in silence.
 * Never sends, waits, retries, prices or judges; a stream without its dialect's own terminator never ends well here.
 */
import type { DialectName } from "../../kernel/chat.ts";
import { anthropicMessagesClient, anthropicMessagesVendor } from "./anthropic-messages/index.ts";
import { bedrockConverseVendor } from "./bedrock-converse/index.ts";
import { cohereVendor } from "./cohere/index.ts";
import { geminiVendor } from "./gemini/index.ts";
import { openaiChatClient, openaiChatVendor } from "./openai-chat/index.ts";
import { openaiCompletionsClient } from "./openai-completions/index.ts";
import { openaiResponsesClient, openaiResponsesVendor } from "./openai-responses/index.ts";
import type { ClientDialect, VendorDialect } from "./port.ts";

/** By how clients speak. */
export const clientDialects = {
  "openai-chat": openaiChatClient,
  "openai-responses": openaiResponsesClient,
  "openai-completions": openaiCompletionsClient,
  "anthropic-messages": anthropicMessagesClient,
} as const satisfies Partial<Record<DialectName, ClientDialect>>;

/** By how vendors are spoken to. */
export const vendorDialects = {
  "openai-chat": openaiChatVendor,
  "openai-responses": openaiResponsesVendor,
  "anthropic-messages": anthropicMessagesVendor,
  gemini: geminiVendor,
  cohere: cohereVendor,
  "bedrock-converse": bedrockConverseVendor,
} as const satisfies Partial<Record<DialectName, VendorDialect>>;

/** Throws for a dialect in which only clients speak: configuration never gives one to a vendor. */
export function vendorDialectOf(name: DialectName): VendorDialect {
  const dialect = (vendorDialects as Partial<Record<DialectName, VendorDialect>>)[name];
  if (!dialect) throw new TypeError(`no vendor is spoken to in ${name}`);
  return dialect;
}
