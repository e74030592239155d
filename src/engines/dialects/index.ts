/**
 * Wire formats of chats: what a client's body says, what a vendor must be sent, what either side's stream means.
 * Pure functions over values and bytes; whatever a translation can't carry is named, never lost in silence.
 * Never sends, waits, retries, prices or judges; a stream without its dialect's own terminator never ends well here.
 */
import { anthropicMessagesClient, anthropicMessagesVendor } from "./anthropic-messages/index.ts";
import { openaiChatClient, openaiChatVendor } from "./openai-chat/index.ts";
import type { ClientDialect, DialectName, VendorDialect } from "./port.ts";

export const clientDialects: Readonly<Record<DialectName, ClientDialect>> = {
  "openai-chat": openaiChatClient,
  "anthropic-messages": anthropicMessagesClient,
};

export const vendorDialects: Readonly<Record<DialectName, VendorDialect>> = {
  "openai-chat": openaiChatVendor,
  "anthropic-messages": anthropicMessagesVendor,
};

export { forwardBody, isUsageOnly } from "./forward.ts";
export { openSseDecoder } from "./sse.ts";
