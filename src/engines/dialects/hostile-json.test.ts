/** Whatever JSON comes, a reader answers with a value: no throw, no count below zero, nothing that can't be written on. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatResponse } from "../../kernel/chat.ts";
import { openCollector } from "../../kernel/chat-stream.ts";
import type { Usage } from "../../kernel/usage.ts";
import { clientDialects, vendorDialects } from "./index.ts";
import { requestOf } from "./sample-chats.ts";

const names = Object.keys(clientDialects) as (keyof typeof clientDialects)[];
const spoken = Object.keys(vendorDialects) as (keyof typeof vendorDialects)[];
const id = { decision: "d", createdMs: 0 };

/** Words that readers look for, as keys and as values, so that random trees reach deep into them. */
const keys =
  `id model choices index message delta content text type finish_reason logprobs token logprob bytes top_logprobs refusal
  reasoning reasoning_content reasoning_details reasoning_signature signature data summary images image_url url audio
  transcript expires_at tool_calls function custom name arguments input function_call annotations url_citation
  start_index end_index title usage prompt_tokens completion_tokens total_tokens prompt_tokens_details cached_tokens
  audio_tokens cache_write_tokens completion_tokens_details reasoning_tokens image_tokens x_groq service_tier error code
  message role messages tools tool_choice response_format json_schema schema stream stream_options max_tokens stop
  metadata n thinking budget_tokens output_config format effort content_block partial_json citation citations
  stop_reason stop_sequence input_tokens output_tokens cache_creation cache_creation_input_tokens
  cache_read_input_tokens ephemeral_1h_input_tokens server_tool_use web_search_requests source file file_data file_id
  media_type tool_use_id is_error cache_control ttl extra_content google thought_signature system input_audio detail
  start_char_index end_char_index document_title parts candidates`.split(/\s+/);
const words = `text image_url input_audio file tool_use tool_result thinking redacted_thinking document url base64
  server_tool_use message_start content_block_start content_block_delta content_block_stop message_delta message_stop
  text_delta input_json_delta thinking_delta signature_delta citations_delta char_location function custom assistant user
  system tool json_schema enabled adaptive stop end_turn pause_turn error auto required 1h data:a/b;base64,AA {"a":1}`.split(
  /\s+/,
);

const leaf = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  fc.constantFrom<unknown>(null, true, "", "\ud800", 0, 1, -1, 1e308, -5.5, 2 ** 53, Number.MIN_VALUE),
  fc.integer({ min: -3, max: 300 }),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 7, depthIdentifier: "tree" },
    leaf,
    fc.array(tie("tree"), { maxLength: 3, depthIdentifier: "tree" }),
    fc.dictionary(fc.constantFrom(...keys), tie("tree"), { maxKeys: 6, depthIdentifier: "tree" }),
  ),
}));
const fields = fc.dictionary(fc.constantFrom(...keys), tree, { maxKeys: 8 });
const list = fc.array(fields, { maxLength: 3 });

/** Trees in the frame of an answer, so that most of them are read to their leaves. */
const answers = fc.oneof(
  tree,
  fc.record({ choices: fc.array(fc.record({ index: leaf, message: fields, logprobs: fields })), usage: fields }),
  fc.record({ content: list, usage: fields, stop_reason: leaf }),
);
const records = fc.oneof(
  tree,
  fc.record({ choices: fc.array(fc.record({ index: leaf, delta: fields, logprobs: tree })), usage: fields }),
  fc.record({
    type: fc.constantFrom(...words),
    index: fc.nat(2),
    message: fields,
    content_block: fields,
    delta: fields,
  }),
);
const requests = fc.record(
  {
    model: fc.constant("m"),
    max_tokens: fc.integer({ min: 1, max: 9000 }),
    messages: fc.array(fc.record({ role: fc.constantFrom("system", "user", "assistant", "tool"), content: list })),
    reasoning: fields,
    thinking: fields,
    tools: list,
    response_format: fields,
  },
  { requiredKeys: ["model", "max_tokens", "messages"] },
);

function expectSound(usage: Usage | undefined): void {
  if (usage === undefined) return;
  for (const [meter, value] of Object.entries(usage)) {
    if (typeof value !== "number") continue;
    expect(Number.isSafeInteger(value) && value >= 0, `${meter}: ${value}`).toBe(true);
  }
  expect(usage.reasoning ?? 0).toBeLessThanOrEqual(usage.output);
}

function writeWhole(response: ChatResponse): void {
  for (const name of names) JSON.stringify(clientDialects[name].encodeResponse(response, id, requestOf()));
}

describe.each(spoken)("%s, as a vendor", (name) => {
  const vendor = vendorDialects[name];

  it("reads any answer, and what it read can be written", () => {
    fc.assert(
      fc.property(answers, (body) => {
        const decoded = vendor.decodeResponse(body);
        if (!decoded.ok) return void expect(decoded.message).not.toBe("");
        expectSound(decoded.response.usage);
        writeWhole(decoded.response);
      }),
      { numRuns: 150 },
    );
  });

  it("reads any stream, says nothing after its end, and what it said can be written", () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 8 }), (bodies) => {
        const stream = vendor.openStream();
        const events: ChatEvent[] = [];
        for (const body of bodies) events.push(...stream.decode({ event: "", data: JSON.stringify(body) }));
        const over = events.findIndex(({ type }) => type === "end" || type === "error");
        expect(over === -1 || over === events.length - 1).toBe(true);
        const collector = openCollector();
        const writers = names.map((client) => clientDialects[client].openStream(id, requestOf({ wants_usage: true })));
        for (const event of events) {
          collector.add(event);
          for (const writer of writers) writer.encode(event);
          if (event.type === "usage" || event.type === "start") expectSound(event.usage);
        }
        writeWhole(collector.partial());
      }),
      { numRuns: 150 },
    );
  });

  it("reads any error", () => {
    fc.assert(fc.property(tree, (body) => void expect(vendor.decodeError(500, body).message).not.toBe("")));
  });
});

describe.each(names)("%s, as a client", (name) => {
  it("reads any request or says where it is wrong, and what it read can be sent", () => {
    fc.assert(
      fc.property(fc.oneof(tree, requests), (body) => {
        const decoded = clientDialects[name].decodeRequest(body);
        if (!decoded.ok) return void expect(decoded.message).not.toBe("");
        for (const vendor of spoken) {
          const target = { model: "claude-sonnet-4-5", defaultMaxTokens: 9 };
          JSON.stringify(vendorDialects[vendor].encodeRequest(decoded.request, target).body);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("JSON without bottom", () => {
  const bottomless: unknown = JSON.parse(`${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`);
  const call = { id: "c", function: { name: "f", arguments: bottomless } };
  const block = { type: "tool_use", id: "c", name: "f", input: bottomless };
  const native = { type: "brand_new", value: bottomless };
  const cited = { type: "text", text: "x", citations: [{ type: "page_location", value: bottomless }] };

  it.each([
    ["openai-chat", { choices: [{ message: { tool_calls: [call] } }] }],
    ["anthropic-messages", { content: [block, native, cited] }],
  ] as const)("in an answer of %s leaves the rest readable", (name, body) => {
    const decoded = vendorDialects[name].decodeResponse(body);
    if (!decoded.ok) throw new Error(decoded.message);
    writeWhole(decoded.response);
    expect(decoded.response.parts[0]).toEqual({ type: "tool_call", id: "c", name: "f", arguments: "{}" });
  });

  it("in a request is turned away", () => {
    const body = { model: "m", max_tokens: 1, messages: [{ role: "user", content: [native] }] };
    expect(clientDialects["anthropic-messages"].decodeRequest(body)).toMatchObject({
      ok: false,
      path: "messages[0].content[0]",
    });
  });
});
