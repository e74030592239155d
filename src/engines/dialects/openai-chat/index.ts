/**
 * OpenAI's Chat Completions as wire format: how its clients speak to Weir and how Weir speaks to it and to the many
 * servers that imitate it (their known deviations are read, and written where OpenAI has no word).
 * Never sends, waits or measures; never answers what a use case means.
 */
import type { ClientDialect, VendorDialect } from "../port.ts";
import { openSseDecoder, sseType } from "../sse.ts";
import { openClientStream } from "./client-stream.ts";
import { decodeRequest } from "./decode-request.ts";
import { encodeRequest } from "./encode-request.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeResponse } from "./encode-response.ts";
import { forward } from "./forward.ts";
import { isUsageFrame, openVendorStream } from "./vendor-stream.ts";
import { decodeError, encodeError } from "./words.ts";

export const openaiChatClient: ClientDialect = {
  name: "openai-chat",
  decodeRequest,
  encodeResponse,
  openStream: openClientStream,
  encodeError,
};

export const openaiChatVendor: VendorDialect = {
  name: "openai-chat",
  path: () => "/chat/completions",
  headers: () => ({}),
  encodeRequest,
  decodeResponse,
  streamType: sseType,
  openDecoder: openSseDecoder,
  openStream: openVendorStream,
  decodeError,
  forward,
  isUsageOnly: isUsageFrame,
};
