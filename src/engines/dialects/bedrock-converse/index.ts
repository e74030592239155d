/**
 * Amazon Bedrock's Converse as wire format: how Weir speaks to any model there. Clients don't speak it here.
 * Token counts are exclusive of each other; tool calls are numbered by appearance, not by content block.
 * What a model family knows beyond Converse goes in fields of its own; a family that isn't recognised gets none.
 * Never signs, sends, waits or measures; never answers what a use case means.
 */
import type { VendorDialect } from "../port.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { eventStreamType, openEventStreamDecoder } from "./event-stream.ts";
import { openVendorStream } from "./vendor-stream.ts";
import { decodeError } from "./words.ts";

export const bedrockConverseVendor: VendorDialect = {
  name: "bedrock-converse",
  path: ({ model, stream }) => `/model/${encodeURIComponent(model)}/${stream ? "converse-stream" : "converse"}`,
  headers: () => ({}),
  encodeRequest,
  decodeResponse,
  streamType: eventStreamType,
  openDecoder: openEventStreamDecoder,
  openStream: openVendorStream,
  decodeError,
};
