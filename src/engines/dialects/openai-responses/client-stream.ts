import type { ChatEvent, ChatPart, ChatRequest, FinishReason, TokenLogprob } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import type { Fields } from "../body-reader.ts";
import type { AnswerId, ClientError, ClientStream } from "../port.ts";
import { encodeSse } from "../sse.ts";
import {
  callItem,
  encodeCitations,
  encodeLogprobs,
  messageItem,
  reasoningItem,
  refusalContent,
  textContent,
  wholeItem,
} from "./items.ts";
import { madeUpReasoningId, sealOf } from "./reasoning.ts";
import { answerHead, endingFields } from "./response.ts";
import { encodeStatus, itemName } from "./words.ts";

type Of<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;

/** A text or refusal that is being said; `at` is where its events say that it stands. */
interface OpenContent {
  refusal: boolean;
  at: string;
  place: Fields;
  text: string;
  logprobs: TokenLogprob[];
  annotations: Fields[];
}

interface OpenMessage {
  index: number;
  name: string;
  content: Fields[];
  open: OpenContent | undefined;
}

interface OpenThought {
  index: number;
  name: string;
  id: string | undefined;
  text: string;
}

interface OpenCall {
  index: number;
  name: string;
  call: Extract<ChatPart, { type: "tool_call" }>;
}

/** Only the first of several answers is written: this API has no place for more. */
export function openClientStream(id: AnswerId, request: ChatRequest): ClientStream {
  let sequence = 0;
  let started = false;
  let over = false;
  let head: Fields = {};
  let finish: FinishReason = "stop";
  /** Words of a refusal were said. */
  let declined = false;
  let usage: Usage | undefined;
  let message: OpenMessage | undefined;
  let thought: OpenThought | undefined;
  const calls = new Map<number, OpenCall>();
  /** By output index; undefined while an item is open. */
  const output: (Fields | undefined)[] = [];

  const record = (type: string, fields: object): string =>
    encodeSse(JSON.stringify({ type, sequence_number: sequence++, ...fields }), type);

  function start(model: string): string {
    if (started) return "";
    started = true;
    head = answerHead(id, request, model);
    const response = { ...head, status: "in_progress", incomplete_details: null, output: [], usage: null };
    return record("response.created", { response }) + record("response.in_progress", { response });
  }

  const add = (index: number, item: Fields): string =>
    record("response.output_item.added", { output_index: index, item });

  function done(index: number, item: Fields): string {
    output[index] = item;
    return record("response.output_item.done", { output_index: index, item });
  }

  /** The place of the next item; what was being said or thought is thereby closed. */
  function nextIndex(): [closed: string, index: number] {
    const closed = closeMessage() + closeThought();
    return [closed, output.push(undefined) - 1];
  }

  const status = () => encodeStatus(finish, declined).status;
  /** An answer that was cut was cut in its last item. */
  const statusOf = (index: number) => (index === output.length - 1 ? status() : "completed");

  function openMessage(): string {
    if (message !== undefined) return "";
    const [closed, index] = nextIndex();
    message = { index, name: itemName("msg", id, index), content: [], open: undefined };
    return closed + add(index, messageItem(message.name, [], "in_progress"));
  }

  function openContent(refusal: boolean): string {
    declined ||= refusal;
    let text = openMessage();
    const { index, name, content, open } = message!;
    if (open !== undefined && open.refusal === refusal) return text;
    text += closeContent();
    const place = { item_id: name, output_index: index, content_index: content.length };
    message!.open = { refusal, at: JSON.stringify(place).slice(1, -1), place, text: "", logprobs: [], annotations: [] };
    return (
      text + record("response.content_part.added", { ...place, part: refusal ? refusalContent("") : textContent("") })
    );
  }

  function closeContent(): string {
    const open = message?.open;
    if (open === undefined) return "";
    message!.open = undefined;
    const logprobs = encodeLogprobs(open.logprobs);
    const part = open.refusal ? refusalContent(open.text) : textContent(open.text, logprobs, open.annotations);
    message!.content.push(part);
    return (
      (open.refusal
        ? record("response.refusal.done", { ...open.place, refusal: open.text })
        : record("response.output_text.done", { ...open.place, text: open.text, logprobs })) +
      record("response.content_part.done", { ...open.place, part })
    );
  }

  function closeMessage(): string {
    if (message === undefined) return "";
    const closed = closeContent();
    const { index, name, content } = message;
    message = undefined;
    return closed + done(index, messageItem(name, content, statusOf(index)));
  }

  function openThought(vendorId: string | undefined): string {
    if (thought !== undefined && (vendorId === undefined || vendorId === thought.id)) return "";
    const [closed, index] = nextIndex();
    thought = { index, name: vendorId ?? madeUpReasoningId(id, index), id: vendorId, text: "" };
    return closed + add(index, reasoningItem(thought.name, "", undefined));
  }

  function think(text: string): string {
    if (text === "") return "";
    const { index, name } = thought!;
    const place = { item_id: name, output_index: index, summary_index: 0 };
    const opening =
      thought!.text === ""
        ? record("response.reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } })
        : "";
    thought!.text += text;
    return opening + record("response.reasoning_summary_text.delta", { ...place, delta: text });
  }

  function closeThought(seal?: string): string {
    if (thought === undefined) return "";
    const { index, name, text } = thought;
    thought = undefined;
    const place = { item_id: name, output_index: index, summary_index: 0 };
    const told =
      text === ""
        ? ""
        : record("response.reasoning_summary_text.done", { ...place, text }) +
          record("response.reasoning_summary_part.done", { ...place, part: { type: "summary_text", text } });
    return told + done(index, reasoningItem(name, text, seal));
  }

  function closeCall({ index, name, call }: OpenCall): string {
    const place = { item_id: name, output_index: index };
    const told = call.custom
      ? record("response.custom_tool_call_input.done", { ...place, input: call.arguments })
      : record("response.function_call_arguments.done", { ...place, name: call.name, arguments: call.arguments });
    return told + done(index, callItem(name, call, statusOf(index)));
  }

  function closeCalls(): string {
    let text = "";
    for (const open of calls.values()) text += closeCall(open);
    calls.clear();
    return text;
  }

  const closeAll = (): string => closeMessage() + closeThought() + closeCalls();

  /** The last word: every item is closed, and stands once more in the whole answer. */
  function end(): string {
    const closed = closeAll();
    over = true;
    const ending = endingFields({
      declined,
      finish,
      ...(usage && { usage }),
      ...(usage?.service_class && { service_class: usage.service_class }),
    });
    return closed + record(`response.${status()}`, { response: { ...head, ...ending, output } });
  }

  function fail(error: ClientError): string {
    if (over) return "";
    over = true;
    const { code, message: text, param = null } = error;
    const failed = started ? record("response.failed", { response: failedResponse(error) }) : "";
    return failed + record("error", { code, message: text, param });
  }

  const failedResponse = ({ message: text, status: httpStatus }: ClientError): Fields => ({
    ...head,
    status: "failed",
    incomplete_details: null,
    error: { code: httpStatus === 429 ? "rate_limit_exceeded" : "server_error", message: text },
    output: output.filter((item) => item !== undefined),
    usage: null,
  });

  function say({
    text,
    refusal = false,
    logprobs,
  }: {
    text: string;
    refusal?: boolean;
    logprobs?: TokenLogprob[];
  }): string {
    const opening = openContent(refusal);
    const open = message!.open!;
    open.text += text;
    if (logprobs !== undefined) open.logprobs.push(...logprobs);
    const type = refusal ? "response.refusal.delta" : "response.output_text.delta";
    const told = refusal
      ? ""
      : `,"logprobs":${logprobs === undefined ? "[]" : JSON.stringify(encodeLogprobs(logprobs))}`;
    return `${opening}event: ${type}\ndata: {"type":"${type}","sequence_number":${sequence++},${open.at},"delta":${JSON.stringify(text)}${told}}\n\n`;
  }

  const writers: { [Type in ChatEvent["type"]]: (event: Of<Type>) => string } = {
    start: () => "",
    text: say,
    reasoning: ({ text, signature, encrypted, id: vendorId }) => {
      const seal = sealOf({
        ...(signature === undefined ? {} : { signature }),
        ...(encrypted === undefined ? {} : { encrypted }),
        ...(vendorId === undefined ? {} : { id: vendorId }),
      });
      if (seal === undefined && text === "") return "";
      // What another vendor encrypted stands alone: it has no name that could join it to words.
      const apart = encrypted !== undefined && vendorId === undefined ? closeThought() : "";
      const told = apart + openThought(vendorId) + think(text);
      return seal === undefined ? told : told + closeThought(seal);
    },
    tool_call_start: ({ index: number, id: callId, name: tool, custom, signature }) => {
      const stale = calls.get(number);
      const [closed, index] = nextIndex();
      const call: OpenCall["call"] = { type: "tool_call", id: callId, name: tool, arguments: "" };
      if (custom) call.custom = custom;
      if (signature !== undefined) call.signature = signature;
      const name = itemName(custom ? "ctc" : "fc", id, index);
      calls.set(number, { index, name, call });
      return (stale ? closeCall(stale) : "") + closed + add(index, callItem(name, call, "in_progress"));
    },
    tool_call_delta: ({ index: number, arguments: delta }) => {
      const open = calls.get(number);
      if (open === undefined || delta === "") return "";
      open.call.arguments += delta;
      const type = open.call.custom
        ? "response.custom_tool_call_input.delta"
        : "response.function_call_arguments.delta";
      return record(type, { item_id: open.name, output_index: open.index, delta });
    },
    part: ({ part }) => {
      const item = wholeItem(part, id, output.length);
      if (item === undefined) return "";
      const [closed, index] = nextIndex();
      return closed + add(index, item) + done(index, item);
    },
    audio: () => "",
    citations: ({ citations }) => {
      let told = openContent(false);
      const { place, annotations, text } = message!.open!;
      for (const annotation of encodeCitations(citations, text)) {
        const annotation_index = annotations.push(annotation) - 1;
        told += record("response.output_text.annotation.added", { ...place, annotation_index, annotation });
      }
      return told;
    },
    finish: (event) => {
      finish = event.finish;
      return closeAll();
    },
    usage: (event) => {
      usage = event.usage;
      return "";
    },
    end,
    error: ({ message: text, code }) => fail({ code: code ?? "upstream_error", message: text, status: 502 }),
  };

  return {
    encode(event) {
      if (over || ("choice" in event && (event.choice ?? 0) !== 0)) return "";
      const opening = event.type === "error" ? "" : start(event.type === "start" ? event.model : "");
      return opening + (writers[event.type] as (event: ChatEvent) => string)(event);
    },
    fail,
  };
}
