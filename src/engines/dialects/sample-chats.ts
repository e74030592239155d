/** Generators and sample values for the dialects' tests: chats in the normal form that each wire format keeps whole. */
import fc from "fast-check";
import type { ChatMessage, ChatRequest, ChatResponse, FinishReason } from "../../kernel/chat.ts";

type DialectName = "openai-chat" | "anthropic-messages";

/** The least that a request can be, and what the test is about. */
export const requestOf = (fields: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [],
  stream: false,
  wants_usage: false,
  unmodelled: [],
  ...fields,
});

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const callId = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_-]{0,8}$/);
const inputs = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
const argumentsText = inputs.map((value) => JSON.stringify(value));
const text = word.map((value) => ({ type: "text" as const, text: value }));
const image = fc.oneof(
  fc.record({ type: fc.constant("image" as const), url: fc.webUrl() }),
  fc.record({
    type: fc.constant("image" as const),
    media_type: fc.constantFrom("image/png", "image/jpeg"),
    data: fc.base64String({ minLength: 4 }),
  }),
);
const toolCall = fc.record({ type: fc.constant("tool_call" as const), id: callId, name, arguments: argumentsText });
const toolResult = fc.record({
  type: fc.constant("tool_result" as const),
  id: callId,
  text: fc.string({ maxLength: 9 }),
});
const thought = fc.record({ type: fc.constant("reasoning" as const), text: word, signature: callId });

/** Turns alternate: Anthropic joins neighbours of one role. */
const messagesFor = (dialect: DialectName): fc.Arbitrary<ChatMessage[]> => {
  const system = fc.array(text, { minLength: 1, maxLength: 2 }).map((parts) => ({ role: "system" as const, parts }));
  const user = fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 });
  const spoken = fc.tuple(fc.array(text, { minLength: 1, maxLength: 2 }), fc.array(toolCall, { maxLength: 3 }));
  const assistant =
    dialect === "anthropic-messages"
      ? fc
          .tuple(fc.array(thought, { maxLength: 1 }), spoken)
          .map(([first, [words, calls]]) => [...first, ...words, ...calls])
      : spoken.map(([words, calls]) => [...words, ...calls]);
  const turn = fc.tuple(user, assistant, fc.array(toolResult, { maxLength: 2 }));
  return fc
    .tuple(fc.option(system, { nil: undefined }), fc.array(turn, { minLength: 1, maxLength: 3 }))
    .map(([head, turns]) => {
      const messages: ChatMessage[] = head === undefined ? [] : [head];
      for (const [asked, answered, results] of turns) {
        messages.push({ role: "user", parts: asked }, { role: "assistant", parts: answered });
        for (const result of results) messages.push({ role: "tool", parts: [result] });
      }
      return messages;
    });
};

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Value;
}

const schema = fc.record({ type: fc.constant("object"), title: word });

/** Requests that the dialect carries whole: decode(encode(request)) is request. */
export const requestFor = (dialect: DialectName): fc.Arbitrary<ChatRequest> => {
  const openai = dialect === "openai-chat";
  const tools = fc.array(fc.record({ name, description: word, parameters: schema }), { minLength: 1, maxLength: 2 });
  const choice = fc.oneof(fc.constantFrom("auto" as const, "required" as const), fc.record({ name }));
  const format = openai
    ? fc.oneof(
        fc.record({ type: fc.constantFrom("text" as const, "json_object" as const) }),
        fc.record({ type: fc.constant("json_schema" as const), name, schema, strict: fc.boolean() }),
      )
    : fc.record({
        type: fc.constant("json_schema" as const),
        name: fc.constant("answer"),
        schema,
        strict: fc.constant(true),
      });
  return fc
    .record({
      model: name,
      messages: messagesFor(dialect),
      stream: fc.boolean(),
      max_tokens: openai ? optional(fc.integer({ min: 1, max: 9999 })) : fc.integer({ min: 1, max: 9999 }),
      temperature: optional(fc.double({ min: 0, max: openai ? 2 : 1, noNaN: true })),
      top_p: optional(fc.double({ min: 0, max: 1, noNaN: true })),
      stop: optional(fc.array(fc.stringMatching(/^\S{1,4}$/), { minLength: 1, maxLength: 2 })),
      seed: openai ? optional(fc.integer()) : fc.constant(undefined),
      toolset: optional(fc.tuple(tools, choice, optional(fc.boolean()))),
      response_format: optional(format),
      user: optional(word),
    })
    .map(({ toolset, ...fields }) =>
      withoutUndefined({
        ...fields,
        wants_usage: openai ? fields.stream : true,
        unmodelled: [],
        ...(toolset === undefined
          ? {}
          : { tools: toolset[0], tool_choice: toolset[1], parallel_tool_calls: toolset[2] }),
      } as ChatRequest),
    );
};

/** Answers in the order in which every dialect can stream them, one text and at most one thought. */
export const responseFor = (dialect: DialectName): fc.Arbitrary<ChatResponse> =>
  fc
    .record({
      model: name,
      thoughts: fc.array(thought, { maxLength: 1 }),
      texts: fc.array(text, { maxLength: 1 }),
      calls: fc.array(toolCall, { maxLength: 3 }),
      finish: fc.constantFrom<FinishReason>("stop", "length", "content_filter"),
      stopSequence: dialect === "anthropic-messages" ? optional(word) : fc.constant(undefined),
      usage: fc.record({
        input: fc.nat(9999),
        cached_input: fc.nat(9999),
        output: fc.nat(9999),
        estimated: fc.constant(false),
      }),
    })
    .map(({ model, thoughts, texts, calls, finish, stopSequence, usage }) => {
      const reason = calls.length > 0 && finish === "stop" ? "tool_calls" : finish;
      return {
        model,
        parts: [...thoughts, ...texts, ...calls],
        finish: reason,
        ...(stopSequence !== undefined && reason === "stop" ? { stop_sequence: stopSequence } : {}),
        usage,
      };
    });
