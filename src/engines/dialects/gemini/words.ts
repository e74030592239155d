/** Words that Gemini's wire format and the neutral form share only in part: finish reasons, service classes, errors. */
import type { FinishReason } from "../../../kernel/chat.ts";
import type { ServiceClass } from "../../../kernel/usage.ts";
import { isFields } from "../body-reader.ts";

const filtered = [
  "SAFETY",
  "RECITATION",
  "LANGUAGE",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "MODEL_ARMOR",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
];

const finishes = new Map<unknown, FinishReason>([
  ["MAX_TOKENS", "length"],
  ...filtered.map((reason): [string, FinishReason] => [reason, "content_filter"]),
]);

/** Undefined where the candidate goes on. */
export const finishReasonOf = (reason: unknown): string | undefined =>
  typeof reason === "string" && reason !== "" && reason !== "FINISH_REASON_UNSPECIFIED" ? reason : undefined;

/**
 * Gemini says STOP of a turn that called tools. After MALFORMED_FUNCTION_CALL and its like, what was answered stands:
 * `tool_calls` where whole calls came before the broken one, else `stop`, for a client told of calls would look for them.
 */
export const finishOf = (reason: string, calledTools: boolean): FinishReason =>
  finishes.get(reason) ?? (calledTools ? "tool_calls" : "stop");

/** Vertex says `trafficType`, the Gemini API `serviceTier`; provisioned throughput is nobody's class. */
const served = new Map<unknown, ServiceClass>([
  ["ON_DEMAND", "standard"],
  ["ON_DEMAND_FLEX", "flex"],
  ["ON_DEMAND_PRIORITY", "priority"],
  ["standard", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
  ["batch", "batch"],
]);

export const serviceClassOf = (word: unknown): ServiceClass | undefined => served.get(word);

const longestMessage = 2_000;

/** `{error: {code, message, status}}`, also as the only element of an array. */
export function decodeError(status: number, body: unknown): { code?: string; message: string } {
  const outer = Array.isArray(body) ? (body as unknown[])[0] : body;
  const error = isFields(outer) ? outer["error"] : undefined;
  const fallback = `The vendor answered ${status} without a message.`;
  if (!isFields(error)) return { message: fallback };
  const code = hasBadKey(error["details"]) ? badKey : (error["status"] ?? error["code"]);
  const message = error["message"];
  return {
    ...((typeof code === "string" && code !== "") || typeof code === "number" ? { code: String(code) } : {}),
    message: typeof message === "string" && message !== "" ? message.slice(0, longestMessage) : fallback,
  };
}

const badKey = "API_KEY_INVALID";

/** A wrong key is INVALID_ARGUMENT and 400 here: only the details tell it from a wrong request. */
const hasBadKey = (details: unknown): boolean =>
  Array.isArray(details) && details.some((detail) => isFields(detail) && detail["reason"] === badKey);
