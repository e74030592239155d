import type { ChatEvent, ChatRequest, Citation, FinishReason } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { isFields } from "../body-reader.ts";
import type { AnswerId, ClientError, ClientStream } from "../port.ts";
import { encodeSse } from "../sse.ts";
import { encodeCitations, isNativeCitation } from "./citations.ts";
import { answerName } from "./encode-response.ts";
import { thoughtBlock } from "./foreign-thoughts.ts";
import { encodeUsage } from "./usage.ts";
import { encodeEnding, encodeError } from "./words.ts";

/**
 * A content block that is not yet closed. Anthropic's blocks follow one another, other vendors' tool calls may
 * interleave: only the first block in line is written as it comes, those behind it wait.
 */
interface Block {
  kind: "text" | "reasoning" | "tool" | "native";
  start: unknown;
  /** Deltas that wait for their block's turn. */
  waiting: unknown[];
  /** No further delta can come. */
  closed: boolean;
  /** A tool's arguments so far: complete JSON means that the call is complete. */
  input: string;
}

/** JSON has no line breaks of its own: one data line holds it. */
const record = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

type Of<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;

export function openClientStream(id: AnswerId, request: ChatRequest): ClientStream {
  let started = false;
  let over = false;
  let nextIndex = 0;
  let usage: Usage | undefined;
  let finish: FinishReason | undefined;
  let stopSequence: string | undefined;
  let refused = false;
  const line: Block[] = [];
  const tools = new Map<number, Block>();

  function start(model: string): string {
    if (started) return "";
    started = true;
    const message = { id: answerName(id), type: "message", role: "assistant", model, content: [] };
    return record("message_start", {
      message: { ...message, stop_reason: null, stop_sequence: null, usage: encodeUsage(usage) },
    });
  }

  function open(kind: Block["kind"], content: unknown): Block {
    const block: Block = { kind, start: content, waiting: [], closed: false, input: "" };
    const last = line.at(-1);
    if (last !== undefined && last.kind !== "tool") last.closed = true;
    line.push(block);
    return block;
  }

  /** Writes what is due: the first block's deltas, and the next block's once the first is closed. */
  function drain(): string {
    let text = "";
    for (let block = line[0]; block !== undefined; block = line[0]) {
      if (block.start !== undefined) {
        text += record("content_block_start", { index: nextIndex, content_block: block.start });
        block.start = undefined;
      }
      for (const delta of block.waiting) text += record("content_block_delta", { index: nextIndex, delta });
      block.waiting = [];
      if (!block.closed && line.length > 1 && isWhole(block.input)) block.closed = true;
      if (!block.closed) break;
      text += record("content_block_stop", { index: nextIndex++ });
      line.shift();
    }
    return text;
  }

  function append(kind: "text" | "reasoning", empty: unknown, ...added: unknown[]): Block {
    const last = line.at(-1);
    const block = last?.kind === kind && !last.closed ? last : open(kind, empty);
    block.waiting.push(...added);
    return block;
  }

  function closeAll(): string {
    for (const block of line) block.closed = true;
    return drain();
  }

  function end(): string {
    over = true;
    const ending = { finish: finish ?? "stop", stopSequence, calledTools: tools.size > 0, refused } as const;
    return (
      closeAll() +
      record("message_delta", { delta: encodeEnding(ending), usage: encodeUsage(usage) }) +
      record("message_stop", {})
    );
  }

  function fail(error: ClientError): string {
    if (over) return "";
    over = true;
    return encodeSse(JSON.stringify(encodeError(error)), "error");
  }

  const cite = (citations: Citation[]): unknown[] =>
    encodeCitations(citations).map((citation) => ({ type: "citations_delta", citation }));

  function writeText({ text, refusal }: Of<"text">): string {
    if (refusal === true) refused = true;
    const [only] = line;
    // Nearly every event continues the text that is being written: it needs no line.
    if (only?.kind === "text" && !only.closed && only.start === undefined && line.length === 1) {
      const delta = `{"type":"text_delta","text":${JSON.stringify(text)}}`;
      return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${nextIndex},"delta":${delta}}\n\n`;
    }
    append("text", emptyText, { type: "text_delta", text });
    return drain();
  }

  const writers: { [Type in ChatEvent["type"]]: (event: Of<Type>) => string } = {
    start: () => "",
    text: writeText,
    reasoning: ({ text, signature, encrypted, id: item, choice: _choice }) => {
      if (encrypted !== undefined || item !== undefined) {
        const thought = {
          text,
          ...(signature !== undefined && { signature }),
          ...(encrypted !== undefined && { encrypted }),
        };
        open("reasoning", thoughtBlock(item === undefined ? thought : { ...thought, id: item })).closed = true;
      } else {
        const added: unknown[] = text === "" ? [] : [{ type: "thinking_delta", thinking: text }];
        if (signature !== undefined) added.push({ type: "signature_delta", signature });
        const block = append("reasoning", emptyThinking, ...added);
        if (signature !== undefined) block.closed = true;
      }
      return drain();
    },
    tool_call_start: ({ index, id: callId, name }) => {
      tools.set(index, open("tool", { type: "tool_use", id: callId, name, input: {} }));
      return drain();
    },
    tool_call_delta: ({ index, arguments: text }) => {
      const block = tools.get(index);
      if (block === undefined || block.closed) return "";
      block.input += text;
      block.waiting.push({ type: "input_json_delta", partial_json: text });
      return drain();
    },
    part: ({ part }) => {
      if (part.type !== "native" || part.dialect !== "anthropic-messages") return "";
      if (isNativeCitation(part)) append("text", emptyText, { type: "citations_delta", citation: part.value });
      else open("native", part.value).closed = true;
      return drain();
    },
    // Anthropic's clients hear nothing; what was said they can read.
    audio: ({ transcript }) => (transcript ? writeText({ type: "text", text: transcript }) : ""),
    citations: ({ citations }) => {
      append("text", emptyText, ...cite(citations));
      return drain();
    },
    finish: (event) => {
      finish = event.finish;
      stopSequence = event.stop_sequence;
      return closeAll();
    },
    usage: (event) => {
      usage = event.usage;
      return "";
    },
    end,
    error: ({ message, code }) => fail({ code: code ?? "upstream_error", message, status: 502 }),
  };

  return {
    encode(event) {
      // Anthropic's clients can't ask for several answers: the first one is theirs.
      if (over || ("choice" in event && event.choice !== undefined && event.choice > 0)) return "";
      if (event.type === "start") usage = event.usage;
      const opening = event.type === "error" ? "" : start((event.type === "start" ? event.model : "") || request.model);
      return opening + (writers[event.type] as (event: ChatEvent) => string)(event);
    },
    fail,
  };
}

const emptyText = { type: "text", text: "" };
const emptyThinking = { type: "thinking", thinking: "", signature: "" };

/** Asked only when another block waits, and cheap to deny: arguments are an object. */
function isWhole(input: string): boolean {
  if (!input.trimEnd().endsWith("}")) return false;
  try {
    return isFields(JSON.parse(input));
  } catch {
    return false;
  }
}
