/** Generators for this dialect's tests: requests and answers that it carries whole. */
import fc from "fast-check";
import type { ChatMessage, ChatPart, ChatRequest, ChatResponse, FinishReason } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const id = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_-]{0,8}$/);
const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
const data = fc.base64String({ minLength: 4 });

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Value;
}

const text = word.map((value): ChatPart => ({ type: "text", text: value }));
const marked = fc.record({ type: fc.constant("text" as const), text: word, cache: fc.constantFrom("5m", "1h") });
const image = fc.oneof(
  fc.record({ type: fc.constant("image" as const), url: fc.webUrl() }),
  fc.record({ type: fc.constant("image" as const), media_type: fc.constant("image/png"), data }),
);
const file = fc.record({
  type: fc.constant("file" as const),
  name: word,
  media_type: fc.constant("application/pdf"),
  data,
});
const functionCall: fc.Arbitrary<ChatPart> = fc
  .record({ type: fc.constant("tool_call" as const), id, name, arguments: json })
  .map((call): ChatPart => ({ ...call, arguments: JSON.stringify(call.arguments) }));
const signedCall = fc.record({
  type: fc.constant("tool_call" as const),
  id,
  name,
  arguments: fc.constant("{}"),
  signature: id,
});
const customCall = fc.record({
  type: fc.constant("tool_call" as const),
  id: id.map((value) => `custom_${value}`),
  name,
  arguments: word,
  custom: fc.constant(true as const),
});
const ownThought = fc.record({ type: fc.constant("reasoning" as const), text: word, encrypted: id, id });
const hosted = fc.record({ id, query: word }).map((item): ChatPart => ({
  type: "native",
  dialect: "openai-responses",
  kind: "file_search_call",
  value: { type: "file_search_call", ...item },
}));

const turn = fc
  .tuple(
    fc.array(fc.oneof(text, marked, image, file), { minLength: 1, maxLength: 3 }),
    fc.array(ownThought, { maxLength: 1 }),
    fc.array(text, { minLength: 1, maxLength: 2 }),
    fc.array(fc.oneof(functionCall, customCall, hosted), { maxLength: 3 }),
    fc.array(fc.record({ id, text: fc.string({ maxLength: 9 }) }), { maxLength: 2 }),
  )
  .map(([asked, thoughts, words, calls, results]): ChatMessage[] => [
    { role: "user", parts: asked as ChatPart[] },
    { role: "assistant", parts: [...thoughts, ...words, ...calls] },
    ...results.map((result): ChatMessage => ({ role: "tool", parts: [{ type: "tool_result", ...result }] })),
  ]);

const conversation = fc
  .tuple(optional(fc.array(text, { minLength: 1, maxLength: 2 })), fc.array(turn, { minLength: 1, maxLength: 3 }))
  .map(([system, turns]): ChatMessage[] => [
    ...(system === undefined ? [] : [{ role: "system" as const, parts: system }]),
    ...turns.flat(),
  ]);

const tool = fc.oneof(
  fc.record({ name, description: word, parameters: json }),
  fc.record({ name, parameters: json, strict: fc.constant(true) }),
  fc.record({ name: name.map((value) => `custom_${value}`), custom: fc.constant(true as const) }),
);

/** decode(encode(request)) is request. */
export const requestFor: fc.Arbitrary<ChatRequest> = fc
  .record({
    model: name,
    messages: conversation,
    stream: fc.boolean(),
    max_tokens: optional(fc.integer({ min: 1, max: 9999 })),
    temperature: optional(fc.double({ min: 0, max: 2, noNaN: true })),
    top_p: optional(fc.double({ min: 0, max: 1, noNaN: true })),
    top_logprobs: optional(fc.integer({ min: 1, max: 20 })),
    logprobs: optional(fc.constant(true)),
    reasoning: optional(fc.record({ effort: fc.constantFrom("low", "xhigh"), summary: fc.constant("auto") })),
    service_class: optional(fc.constantFrom("standard", "flex", "priority")),
    metadata: optional(fc.dictionary(name, word, { maxKeys: 2 })),
    user: optional(word),
    previous_response_id: optional(id),
    response_format: optional(
      fc.oneof(
        fc.record({ type: fc.constantFrom("text", "json_object") }),
        fc.record({ type: fc.constant("json_schema"), name, schema: json, strict: fc.boolean() }),
      ),
    ),
    toolset: optional(fc.tuple(fc.array(tool, { minLength: 1, maxLength: 3 }), optional(fc.boolean()))),
  })
  .map(({ toolset, ...fields }) => {
    const handsBack = fields.messages.some((message) => message.parts.some((part) => part.type === "reasoning"));
    return withoutUndefined({
      ...fields,
      reasoning: fields.reasoning ?? (handsBack ? {} : undefined),
      wants_usage: true,
      unmodelled: [],
      ...(toolset === undefined
        ? {}
        : { tools: toolset[0], tool_choice: { name: toolset[0][0]!.name }, parallel_tool_calls: toolset[1] }),
    }) as ChatRequest;
  });

const usage: fc.Arbitrary<Usage> = fc
  .record({
    input: fc.nat(9999),
    cached_input: fc.nat(9999),
    output: fc.integer({ min: 100, max: 9999 }),
    cache_write: optional(fc.integer({ min: 1, max: 99 })),
    cache_write_1h: optional(fc.integer({ min: 1, max: 99 })),
    reasoning: optional(fc.integer({ min: 1, max: 100 })),
    service_class: optional(fc.constantFrom("standard", "flex", "priority")),
    estimated: fc.constant(false),
  })
  .map((value) => withoutUndefined(value) as Usage);

const thought = fc.oneof(
  ownThought,
  fc.record({ type: fc.constant("reasoning" as const), text: word }),
  fc.record({ type: fc.constant("reasoning" as const), text: word, signature: id }),
  fc.record({ type: fc.constant("reasoning" as const), text: fc.constant(""), encrypted: id }),
);

/** Answers in the order in which they are streamed: a thought, words or a refusal, then calls and whole items. */
export const responseFor: fc.Arbitrary<ChatResponse> = fc
  .record({
    model: name,
    thoughts: fc.array(thought, { maxLength: 1 }),
    words: fc.array(
      fc.record({ type: fc.constant("text" as const), text: word, refusal: optional(fc.constant(true)) }),
      { maxLength: 1 },
    ),
    calls: fc.uniqueArray(fc.oneof(functionCall, signedCall, customCall), {
      maxLength: 3,
      selector: (call) => JSON.stringify(call.type === "tool_call" && call.id),
    }),
    whole: fc.array(fc.record({ type: fc.constant("image" as const), media_type: fc.constant("image/webp"), data }), {
      maxLength: 1,
    }),
    finish: fc.constantFrom<FinishReason>("stop", "length", "content_filter"),
    usage,
  })
  .map(({ model, thoughts, words, calls, whole, finish, usage: counted }) => {
    const said = words.map((part) => withoutUndefined(part) as ChatPart);
    const refused = said.some((part) => part.type === "text" && part.refusal === true);
    const ending = finish !== "stop" ? finish : calls.length > 0 ? "tool_calls" : refused ? "refusal" : "stop";
    return {
      model,
      parts: [...thoughts, ...said, ...calls, ...whole],
      finish: ending,
      usage: counted,
      vendor_id: "resp_dec_1",
      ...(counted.service_class === undefined ? {} : { service_class: counted.service_class }),
    };
  });
