/**
 * Cohere's Chat v2 as wire format: how Weir speaks to Cohere below a base URL without its version (`https://api.cohere.com`).
 * Clients don't speak it here. What is counted is what Cohere bills, not what its models read.
 * Never sends, waits or measures; never answers what a use case means.
 */
import type { VendorDialect } from "../port.ts";
import { openSseDecoder, sseType } from "../sse.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { openVendorStream } from "./vendor-stream.ts";
import { decodeError } from "./words.ts";

export const cohereVendor: VendorDialect = {
  name: "cohere",
  path: () => "/v2/chat",
  headers: () => ({}),
  encodeRequest,
  decodeResponse,
  streamType: sseType,
  openDecoder: openSseDecoder,
  openStream: openVendorStream,
  decodeError,
};
