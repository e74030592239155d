/** Generators and sample values for the dialects' tests: chats in the normal form that each wire format keeps whole. */
import fc from "fast-check";
import type {
  CacheMark,
  ChatMessage,
  ChatPart,
  ChatRequest,
  ChatResponse,
  ChatTool,
  FinishReason,
  TokenLogprob,
} from "../../kernel/chat.ts";
import type { ServiceClass, Usage } from "../../kernel/usage.ts";

type DialectName = "openai-chat" | "anthropic-messages";

/** `both`: what either of the two keeps whole. */
type Kept = DialectName | "both";

/** The least that a request can be, and what the test is about. */
export const requestOf = (fields: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [],
  stream: false,
  wants_usage: false,
  unmodelled: [],
  ...fields,
});

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Value;
}

const only = <Value>(dialect: DialectName, kept: Kept, value: fc.Arbitrary<Value>) =>
  kept === dialect ? optional(value) : fc.constant(undefined);

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const letters = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength });
const callId = letters("abzAZ019_-", 12);
const name = letters("abcxyzAZ_", 8);
const base64 = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const inputs = fc.dictionary(letters("abxyz", 5), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
const argumentsText = inputs.map((value) => JSON.stringify(value));
const plainText = word.map((value) => ({ type: "text" as const, text: value }));

type Part<Type extends ChatPart["type"]> = Extract<ChatPart, { type: Type }>;

const markFor = (kept: Kept): fc.Arbitrary<CacheMark | undefined> =>
  only("anthropic-messages", kept, fc.constantFrom<CacheMark>("5m", "1h"));

const textFor = (kept: Kept): fc.Arbitrary<Part<"text">> =>
  fc.record({ type: fc.constant("text" as const), text: word, cache: markFor(kept) }).map(withoutUndefined) as never;

function mediaFor(kept: Kept): fc.Arbitrary<Part<"image"> | Part<"file"> | Part<"audio">> {
  const detail = only("openai-chat", kept, fc.constantFrom("low", "high", "auto", "original"));
  const cache = markFor(kept);
  const image = fc.oneof(
    fc.record({ type: fc.constant("image" as const), url: fc.webUrl(), detail, cache }),
    fc.record({
      type: fc.constant("image" as const),
      media_type: fc.constantFrom("image/png", "image/jpeg"),
      data: base64,
      detail,
      cache,
    }),
  );
  const pdf = { type: fc.constant("file" as const), name, cache };
  const file = fc.oneof(
    fc.record({ ...pdf, media_type: fc.constant("application/pdf"), data: base64 }),
    fc.record({ ...pdf, file_id: callId }),
  );
  const documents = fc.oneof(
    fc.record({ ...pdf, url: fc.webUrl() }),
    fc.record({
      ...pdf,
      media_type: fc.constant("text/plain"),
      data: word.map((words) => Buffer.from(words).toString("base64")),
    }),
    fc.record({ type: fc.constant("image" as const), file_id: callId, cache }),
  );
  const audio = fc.record({ type: fc.constant("audio" as const), format: fc.constantFrom("wav", "mp3"), data: base64 });
  const own = kept === "openai-chat" ? [audio] : kept === "anthropic-messages" ? [documents] : [];
  return fc.oneof(image, file, ...own).map(withoutUndefined) as never;
}

const callFor = (kept: Kept): fc.Arbitrary<Part<"tool_call">> => {
  const plain = fc
    .record({
      type: fc.constant("tool_call" as const),
      id: callId,
      name,
      arguments: argumentsText,
      cache: markFor(kept),
    })
    .map(withoutUndefined);
  const custom = fc.record({
    type: fc.constant("tool_call" as const),
    id: callId,
    name,
    arguments: fc.string({ maxLength: 9 }),
    custom: fc.constant(true as const),
  });
  return (kept === "openai-chat" ? fc.oneof(plain, custom) : plain) as never;
};

const resultFor = (kept: Kept): fc.Arbitrary<Part<"tool_result">> =>
  fc
    .record({
      type: fc.constant("tool_result" as const),
      id: callId,
      text: fc.string({ maxLength: 9 }),
      image: only("anthropic-messages", kept, mediaFor(kept)),
      is_error: only("anthropic-messages", kept, fc.constant(true)),
      cache: markFor(kept),
    })
    .map(({ image, ...result }) => {
      const words = result.text === "" ? [] : [{ type: "text", text: result.text }];
      return withoutUndefined({ ...result, parts: image === undefined ? undefined : [...words, image] });
    }) as never;

const thought = fc.record({ type: fc.constant("reasoning" as const), text: word, signature: callId });
const sealed = fc.record({ type: fc.constant("reasoning" as const), text: fc.constant(""), encrypted: callId });
const native = (kind: string) =>
  fc.record({
    type: fc.constant("native" as const),
    dialect: fc.constant("anthropic-messages" as const),
    kind: fc.constant(kind),
    // JSON has no -0.
    value: fc.record({ type: fc.constant(kind), id: callId, input: argumentsText.map((text) => JSON.parse(text)) }),
  });

/** Turns alternate: Anthropic joins neighbours of one role. */
function messagesFor(kept: Kept): fc.Arbitrary<ChatMessage[]> {
  const anthropic = kept === "anthropic-messages";
  const text = textFor(kept);
  const system = fc.array(text, { minLength: 1, maxLength: 2 }).map((parts) => ({ role: "system" as const, parts }));
  const asked: fc.Arbitrary<ChatPart>[] = [text, mediaFor(kept)];
  if (anthropic) asked.push(native("search_result"));
  const spoken: fc.Arbitrary<ChatPart>[] = anthropic ? [text, native("server_tool_use")] : [text];
  const answer = fc
    .tuple(
      anthropic ? fc.array(fc.oneof(thought, sealed), { maxLength: 2 }) : fc.constant([]),
      text,
      fc.array(fc.oneof(...spoken), { maxLength: 2 }),
      fc.array(callFor(kept), { maxLength: 3 }),
    )
    .map(([thoughts, first, words, calls]) => [...thoughts, first, ...words, ...calls]);
  const turn = fc.tuple(
    fc.array(fc.oneof(...asked), { minLength: 1, maxLength: 3 }),
    answer,
    fc.array(resultFor(kept), { maxLength: 2 }),
  );
  return fc.tuple(optional(system), fc.array(turn, { minLength: 1, maxLength: 3 })).map(([head, turns]) => {
    const messages: ChatMessage[] = head === undefined ? [] : [head];
    for (const [question, parts, results] of turns) {
      messages.push({ role: "user", parts: question }, { role: "assistant", parts });
      for (const result of results) messages.push({ role: "tool", parts: [result] });
    }
    return messages;
  });
}

const schema = fc.record({ type: fc.constant("object"), title: word });

function toolsFor(kept: Kept): fc.Arbitrary<ChatTool[]> {
  const plain = fc
    .record({ name, description: word, parameters: schema, strict: optional(fc.boolean()), cache: markFor(kept) })
    .map(withoutUndefined);
  const custom = fc.record({ name, description: word, custom: fc.constant(true as const) });
  const tool = (kept === "openai-chat" ? fc.oneof(plain, custom) : plain) as fc.Arbitrary<ChatTool>;
  return fc.uniqueArray(tool, { minLength: 1, maxLength: 3, selector: ({ name: key }) => key });
}

const penalty = fc.integer({ min: -20, max: 20 }).map((tenths) => tenths / 10);

const openaiFields = {
  seed: optional(fc.integer()),
  presence_penalty: optional(penalty),
  frequency_penalty: optional(penalty),
  logit_bias: optional(fc.dictionary(fc.nat(99_999).map(String), fc.integer({ min: -100, max: 100 }))),
  n: optional(fc.integer({ min: 2, max: 128 })),
  logprobs: optional(fc.boolean()),
  top_logprobs: optional(fc.nat(20)),
  reasoning: optional(
    fc.record({ effort: fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh", "max") }),
  ),
  service_class: optional(fc.constantFrom<ServiceClass>("standard", "flex", "priority")),
  audio: optional(fc.record({ voice: name, format: fc.constantFrom("wav", "mp3") })),
  metadata: optional(fc.dictionary(name, word)),
  top_k: optional(fc.nat(99)),
};

/** A model that thinks takes neither temperature nor top_k: a request has the one or the other. */
const anthropicSampling = fc.oneof(
  fc.record({
    temperature: optional(fc.double({ min: 0, max: 1, noNaN: true })),
    top_p: optional(fc.double({ min: 0, max: 1, noNaN: true })),
    top_k: optional(fc.nat(99)),
    reasoning: optional(fc.constantFrom({ budget_tokens: 0 }, { effort: "high" as const, budget_tokens: 0 })),
  }),
  fc.record({
    reasoning: fc.constantFrom<NonNullable<ChatRequest["reasoning"]>>(
      { adaptive: true },
      { adaptive: true, effort: "max", summary: "none" },
      { adaptive: true, summary: "auto" },
    ),
  }),
);

/** Requests that the dialect carries whole: decode(encode(request)) is request. */
export function requestFor(kept: Kept): fc.Arbitrary<ChatRequest> {
  const openai = kept !== "anthropic-messages";
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
  const sampling = openai
    ? fc.record({
        temperature: optional(fc.double({ min: 0, max: 2, noNaN: true })),
        top_p: optional(fc.double({ min: 0, max: 1, noNaN: true })),
        ...(kept === "openai-chat" ? openaiFields : {}),
      })
    : anthropicSampling;
  return fc
    .record({
      model: name,
      messages: messagesFor(kept),
      stream: fc.boolean(),
      max_tokens: openai ? optional(fc.integer({ min: 1, max: 9999 })) : fc.integer({ min: 1, max: 9999 }),
      stop: optional(fc.array(letters("ab<>#!", 4), { minLength: 1, maxLength: 2 })),
      service_class: only("anthropic-messages", kept, fc.constant<ServiceClass>("standard")),
      sampling,
      toolset: optional(fc.tuple(toolsFor(kept), fc.nat(3), optional(fc.boolean()))),
      response_format: optional(format),
      user: optional(word),
    })
    .map(({ toolset, sampling: sampled, ...fields }) => {
      const [tools, choice, parallel] = toolset ?? [];
      const thinks =
        "reasoning" in sampled && (sampled.reasoning as { adaptive?: true } | undefined)?.adaptive === true;
      const chosen = tools?.[(choice ?? 0) - 2];
      const forced = choice === 1 ? ("required" as const) : chosen && { name: chosen.name };
      return withoutUndefined({
        ...fields,
        ...withoutUndefined(sampled),
        wants_usage: openai ? fields.stream : true,
        unmodelled: [],
        tools,
        tool_choice: tools && ((thinks ? undefined : forced) ?? "auto"),
        parallel_tool_calls: parallel,
      } as ChatRequest);
    });
}

const meter = optional(fc.integer({ min: 1, max: 9999 }));

function usageFor(kept: Kept): fc.Arbitrary<Usage> {
  return fc
    .record({
      input: fc.nat(9999),
      cached_input: fc.nat(9999),
      output: fc.integer({ min: 9, max: 9999 }),
      cache_write: meter,
      cache_write_1h: only("anthropic-messages", kept, fc.integer({ min: 1, max: 9999 })),
      audio_input: only("openai-chat", kept, fc.integer({ min: 1, max: 9999 })),
      audio_output: only("openai-chat", kept, fc.integer({ min: 1, max: 9999 })),
      image_output: only("openai-chat", kept, fc.integer({ min: 1, max: 9999 })),
      reasoning: optional(fc.integer({ min: 1, max: 9 })),
      web_searches: meter,
      service_class: optional(fc.constantFrom<ServiceClass>("standard", "priority", "batch")),
      estimated: fc.constant(false),
    })
    .map(withoutUndefined) as fc.Arbitrary<Usage>;
}

const logprob = fc
  .record({
    token: word,
    logprob: fc.integer({ min: -9999, max: -1 }).map((hundredths) => hundredths / 100),
    bytes: fc.option(fc.array(fc.nat(255), { maxLength: 3 }), { nil: null }),
  })
  .chain((token) =>
    fc.array(fc.constant({ ...token }), { maxLength: 2 }).map((top) => (top.length === 0 ? token : { ...token, top })),
  ) as fc.Arbitrary<TokenLogprob>;

/** Answers in the order in which every dialect can stream them, one text and at most one thought. */
export function responseFor(kept: Kept): fc.Arbitrary<ChatResponse> {
  const endings: Record<Kept, FinishReason[]> = {
    "openai-chat": ["stop", "length", "content_filter"],
    "anthropic-messages": ["stop", "length", "refusal", "pause"],
    both: ["stop", "length"],
  };
  const spoken = fc.record({ type: fc.constant("audio" as const), id: callId, data: base64, transcript: word });
  const aside: fc.Arbitrary<ChatPart | undefined> =
    kept === "openai-chat"
      ? optional(
          fc.oneof(
            spoken.map((audio) => ({ ...audio, expires_at: 7 })),
            imagePart,
          ),
        )
      : only("anthropic-messages", kept, fc.oneof(native("server_tool_use"), sealed));
  const choice = fc
    .record({
      thoughts: fc.array(thought, { maxLength: 1 }),
      texts: fc.array(plainText, { maxLength: 1 }),
      aside,
      calls: fc.array(callFor(kept === "openai-chat" ? kept : "both"), { maxLength: 3 }),
      finish: fc.constantFrom<FinishReason>(...endings[kept]),
      logprobs: only("openai-chat", kept, fc.array(logprob, { minLength: 1, maxLength: 2 })),
    })
    .map(({ thoughts, texts, aside: other, calls, finish, logprobs }) => ({
      parts: [...thoughts, ...texts, ...(other === undefined ? [] : [other]), ...calls] as ChatPart[],
      finish: calls.length > 0 && finish === "stop" ? ("tool_calls" as const) : finish,
      ...(logprobs === undefined || texts.length === 0 ? {} : { logprobs }),
    }));
  return fc
    .record({
      model: name,
      choice,
      others: only("openai-chat", kept, fc.array(choice, { minLength: 1, maxLength: 2 })),
      stopSequence: only("anthropic-messages", kept, word),
      usage: usageFor(kept),
    })
    .map(({ model, choice: first, others, stopSequence, usage }) => ({
      model,
      ...first,
      ...(others === undefined ? {} : { others }),
      ...(stopSequence !== undefined && first.finish === "stop" ? { stop_sequence: stopSequence } : {}),
      usage,
      ...(usage.service_class === undefined ? {} : { service_class: usage.service_class }),
    }));
}

const imagePart: fc.Arbitrary<Part<"image">> = fc.record({
  type: fc.constant("image" as const),
  media_type: fc.constant("image/png"),
  data: base64,
});
