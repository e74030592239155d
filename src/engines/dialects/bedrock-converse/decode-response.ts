/** A vendor's answer → the neutral one; blocks that only Converse knows are kept as they are. Never throws. */
import type { Citation } from "../../../kernel/chat.ts";
import { isFields } from "../body-reader.ts";
import type { DecodedResponse } from "../port.ts";
import { readBlock } from "./read-block.ts";
import { usageOf } from "./usage.ts";
import { finishOf, isMalformed, malformedMessage, serviceClassOf, stopSequenceOf } from "./words.ts";

/** Converse never says which model answered. */
const unnamed = "";

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  const message = isFields(body["output"]) ? body["output"]["message"] : undefined;
  const content = isFields(message) ? message["content"] : undefined;
  if (!Array.isArray(content)) return { ok: false, message: "The vendor's answer has no output.message.content." };
  const reason = body["stopReason"];
  if (isMalformed(reason)) return { ok: false, message: malformedMessage(reason) };
  const usage = usageOf(body["usage"], body["serviceTier"]);
  const served = serviceClassOf(body["serviceTier"]);
  const citations: Citation[] = [];
  return {
    ok: true,
    response: {
      model: unnamed,
      parts: (content as unknown[]).flatMap((block) => (isFields(block) ? readBlock(block, citations) : [])),
      finish: finishOf(reason),
      ...stopSequenceOf(body["additionalModelResponseFields"]),
      ...(usage === undefined ? {} : { usage }),
      ...(served === undefined ? {} : { service_class: served }),
      ...(citations.length === 0 ? {} : { citations }),
    },
  };
}
