/**
 * OpenAI's Responses as wire format, stateless: how its clients speak to Weir (over any vendor) and how Weir speaks to
 * it. Answers and reasoning travel in full, encrypted where the vendor wants it so; nothing is asked to be stored.
 * Never sends, waits or measures; never resolves what lies stored at a vendor (earlier answers, items, conversations).
 */
import { decodeError, encodeError } from "../openai-chat/words.ts";
import type { ClientDialect, VendorDialect } from "../port.ts";
import { openSseDecoder, sseType } from "../sse.ts";
import { openClientStream } from "./client-stream.ts";
import { decodeRequest } from "./decode-request.ts";
import { encodeRequest } from "./encode-request.ts";
import { forward } from "./forward.ts";
import { decodeResponse, encodeResponse } from "./response.ts";
import { openVendorStream } from "./vendor-stream.ts";

export const openaiResponsesClient: ClientDialect = {
  name: "openai-responses",
  decodeRequest,
  encodeResponse,
  openStream: openClientStream,
  encodeError,
};

export const openaiResponsesVendor: VendorDialect = {
  name: "openai-responses",
  path: () => "/responses",
  headers: () => ({}),
  encodeRequest,
  decodeResponse,
  streamType: sseType,
  openDecoder: openSseDecoder,
  openStream: openVendorStream,
  decodeError,
  forward,
};
