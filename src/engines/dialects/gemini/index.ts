/**
 * Gemini's generateContent as wire format: how Weir speaks to the Gemini API and, below a base URL that ends in
 * `/publishers/google`, to Vertex AI. Clients don't speak it here.
 * Vertex refuses `serviceTier`, the Gemini API `labels`: each vendor's `refuses` says so.
 * Never sends, waits or measures; never answers what a use case means.
 */
import type { VendorDialect } from "../port.ts";
import { sseType } from "../sse.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { openDecoder, openVendorStream } from "./vendor-stream.ts";
import { decodeError } from "./words.ts";

export const geminiVendor: VendorDialect = {
  name: "gemini",
  path: ({ model, stream }) => {
    const name = model.split("/").map(encodeURIComponent).join("/");
    const resource = name.includes("/") ? name : `models/${name}`;
    return `/${resource}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`;
  },
  headers: () => ({}),
  encodeRequest,
  decodeResponse,
  streamType: sseType,
  openDecoder,
  openStream: openVendorStream,
  decodeError,
};
