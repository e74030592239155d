import type { ChatMessage, ChatPart, ChatRequest } from "../../../kernel/chat.ts";
import { imageToUrl } from "../image.ts";
import type { EncodeTarget } from "../port.ts";

export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const body: Record<string, unknown> = {
    model: target.model,
    messages: request.messages.flatMap((message) => encodeMessage(message, dropped)),
  };
  if (request.stream) Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  if (request.max_tokens !== undefined) body[target.maxTokensField ?? "max_tokens"] = request.max_tokens;
  for (const key of ["temperature", "top_p", "stop", "seed", "user"] as const) {
    if (request[key] !== undefined) body[key] = request[key];
  }
  encodeTools(request, body, dropped);
  const format = request.response_format;
  if (format?.type === "json_schema") {
    const { type, ...spec } = format;
    body["response_format"] = { type, json_schema: spec };
  } else if (format !== undefined) body["response_format"] = format;
  return { body, dropped: [...dropped] };
}

/** Without tools the API refuses every word about their use. */
function encodeTools(request: ChatRequest, body: Record<string, unknown>, dropped: Set<string>): void {
  const choice = request.tool_choice;
  if (request.tools === undefined || request.tools.length === 0) {
    if (choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
    return;
  }
  body["tools"] = request.tools.map((tool) => ({ type: "function", function: tool }));
  if (choice !== undefined) {
    body["tool_choice"] = typeof choice === "string" ? choice : { type: "function", function: choice };
  }
  if (request.parallel_tool_calls !== undefined) body["parallel_tool_calls"] = request.parallel_tool_calls;
}

/** One neutral message → its own wire message, and one more for each tool result it holds. */
function encodeMessage(message: ChatMessage, dropped: Set<string>): unknown[] {
  const wire: unknown[] = [];
  const own: ChatPart[] = [];
  for (const part of message.parts) {
    if (part.type === "tool_result") {
      wire.push({ role: "tool", tool_call_id: part.id, content: part.text });
      if (part.is_error === true) dropped.add("tool_result.is_error");
    } else if (part.type === "reasoning") dropped.add("reasoning");
    else if (part.type === "native" || part.type === "file" || part.type === "audio")
      dropped.add(`messages.${part.type}`);
    else own.push(part);
  }
  if (message.role === "tool" || (wire.length > 0 && own.length === 0)) return wire;
  return [...wire, message.role === "assistant" ? encodeAssistant(own, dropped) : encodeOther(message.role, own)];
}

function encodeAssistant(parts: ChatPart[], dropped: Set<string>): unknown {
  const texts = parts.filter((part) => part.type === "text" && part.refusal !== true);
  const refusals = parts.flatMap((part) => (part.type === "text" && part.refusal === true ? [part.text] : []));
  const calls = parts.filter((part) => part.type === "tool_call");
  if (parts.some((part) => part.type === "image")) dropped.add("assistant.image");
  return {
    role: "assistant",
    content: texts.length === 0 && (calls.length > 0 || refusals.length > 0) ? null : encodeContent(texts),
    ...(refusals.length === 0 ? {} : { refusal: refusals.join("") }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: "function",
            function: { name: call.name, arguments: call.arguments },
          })),
        }),
  };
}

const encodeOther = (role: ChatMessage["role"], parts: ChatPart[]): unknown => ({
  role,
  content: encodeContent(parts),
});

function encodeContent(parts: ChatPart[]): unknown {
  if (parts.length === 0) return "";
  const [only] = parts;
  if (parts.length === 1 && only?.type === "text") return only.text;
  const content: unknown[] = [];
  for (const part of parts) {
    if (part.type === "text") content.push({ type: "text", text: part.text });
    else if (part.type === "image") content.push({ type: "image_url", image_url: { url: imageToUrl(part) } });
  }
  return content;
}
