/**
 * Anthropic's Messages as wire format: how its clients speak to Weir and how Weir speaks to it and to its imitators.
 * Token counts are exclusive here and stay so: input without what was read from the vendor's cache.
 * Never sends, waits or measures; never answers what a use case means.
 */
import type { ClientDialect, VendorDialect } from "../port.ts";
import { openSseDecoder, sseType } from "../sse.ts";
import { spliceTopLevel } from "../splice.ts";
import { openClientStream } from "./client-stream.ts";
import { decodeRequest } from "./decode-request.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { encodeResponse } from "./encode-response.ts";
import { openVendorStream } from "./vendor-stream.ts";
import { decodeError, encodeError } from "./words.ts";

export const anthropicMessagesClient: ClientDialect = {
  name: "anthropic-messages",
  decodeRequest,
  encodeResponse,
  openStream: openClientStream,
  encodeError,
};

export const anthropicMessagesVendor: VendorDialect = {
  name: "anthropic-messages",
  path: () => "/v1/messages",
  headers: ({ betas }) => ({
    "anthropic-version": "2023-06-01",
    ...(betas && betas.length > 0 && { "anthropic-beta": betas.join(",") }),
  }),
  encodeRequest,
  decodeResponse,
  streamType: sseType,
  openDecoder: openSseDecoder,
  openStream: openVendorStream,
  decodeError,
  forward: (body, { model, stream }) =>
    spliceTopLevel(body, {
      model,
      stream: (present: unknown) => (present === undefined && !stream ? undefined : stream),
    }),
};
