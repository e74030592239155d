/** Words that Converse and the neutral form share only in part: stop reasons, service tiers, errors, media formats. */
import type { FinishReason } from "../../../kernel/chat.ts";
import type { ServiceClass } from "../../../kernel/usage.ts";
import { isFields, textOr } from "../body-reader.ts";

const finishes = new Map<unknown, FinishReason>([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["guardrail_intervened", "content_filter"],
  ["content_filtered", "content_filter"],
  ["refusal", "refusal"],
]);

export const finishOf = (reason: unknown): FinishReason => finishes.get(reason) ?? "stop";

/** The model wrote what Bedrock could not read: whatever came before it is no answer. */
export const isMalformed = (reason: unknown): reason is string =>
  reason === "malformed_model_output" || reason === "malformed_tool_use";

export const malformedMessage = (reason: string): string =>
  `The model's output could not be read by the vendor (${reason}).`;

const classes = new Map<unknown, ServiceClass>([
  ["default", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
]);

/** `reserved` is capacity that was bought ahead: priced apart, and no class of a call. */
export const serviceClassOf = (tier: unknown): ServiceClass | undefined =>
  classes.get(isFields(tier) ? tier["type"] : undefined);

export const tierOf: Partial<Record<ServiceClass, string>> = {
  standard: "default",
  flex: "flex",
  priority: "priority",
};

/** The stop sequence that ended the answer, where the model was asked to tell. */
export function stopSequenceOf(modelFields: unknown): { stop_sequence?: string } {
  const told = isFields(modelFields) ? modelFields["stop_sequence"] : undefined;
  return typeof told === "string" ? { stop_sequence: told } : {};
}

const longestMessage = 2_000;

/** `__type` may hold a namespace before and a URL after the name. */
export function decodeError(status: number, body: unknown): { code?: string; message: string } {
  const fields = isFields(body) ? body : {};
  const code = textOr(fields["__type"] ?? fields["code"], "")
    .replace(/^.*#/, "")
    .replace(/:.*$/, "")
    .slice(0, 100);
  const message = textOr(fields["message"] ?? fields["Message"] ?? fields["originalMessage"], "");
  return {
    ...(code === "" ? {} : { code }),
    message: message.slice(0, longestMessage) || `The vendor answered ${status} without a message.`,
  };
}

const imageFormats = new Map([
  ["image/png", "png"],
  ["image/jpeg", "jpeg"],
  ["image/jpg", "jpeg"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
]);

export const imageFormatOf = (mediaType = "image/png"): string | undefined => imageFormats.get(mediaType);

const documentFormats = new Map([
  ["application/pdf", "pdf"],
  ["text/csv", "csv"],
  ["application/msword", "doc"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"],
  ["application/vnd.ms-excel", "xls"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"],
  ["text/html", "html"],
  ["text/markdown", "md"],
  ["application/json", "txt"],
]);

/** Other texts are plain ones. */
export const documentFormatOf = (mediaType = "application/pdf"): string | undefined =>
  documentFormats.get(mediaType) ?? (mediaType.startsWith("text/") ? "txt" : undefined);
