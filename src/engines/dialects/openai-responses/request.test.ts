import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatPart, ChatRequest } from "../../../kernel/chat.ts";
import { type Fields, isFields } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { requestFor } from "./sample-answers.ts";
import { openaiResponsesClient, openaiResponsesVendor } from "./index.ts";

const target: EncodeTarget = { model: "gpt-v", defaultMaxTokens: 7 };

function decode(body: Fields): ChatRequest {
  const decoded = openaiResponsesClient.decodeRequest({ model: "m", input: "hi", ...body });
  if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.message}`);
  return decoded.request;
}

const encode = (request: Partial<ChatRequest>, to: EncodeTarget = target) =>
  openaiResponsesVendor.encodeRequest({ ...decode({}), ...request }, to) as { body: Fields; dropped: string[] };

const asAssistant = (...parts: ChatPart[]): Partial<ChatRequest> => ({ messages: [{ role: "assistant", parts }] });

describe("input", () => {
  it("is one text of a user, or a conversation in which a turn's items become one message", () => {
    expect(decode({ input: "hi" }).messages).toEqual([{ role: "user", parts: [{ type: "text", text: "hi" }] }]);
    const { messages, unmodelled } = decode({
      instructions: "Be brief.",
      input: [
        { role: "developer", content: "In German." },
        { role: "user", content: [{ type: "input_text", text: "Rates?" }] },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "Look." }],
          encrypted_content: "gAAA",
        },
        {
          type: "message",
          role: "assistant",
          id: "msg_1",
          status: "completed",
          content: [{ type: "output_text", text: "One moment.", annotations: [] }],
        },
        { type: "function_call", id: "fc_1", call_id: "call_1", name: "rate", arguments: "{}" },
        { type: "custom_tool_call", call_id: "call_2", name: "run", input: "ls -l" },
        { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
        { type: "function_call_output", call_id: "call_1", output: "1.5 %" },
        {
          type: "custom_tool_call_output",
          call_id: "call_2",
          output: [
            { type: "input_text", text: "a.png" },
            { type: "input_image", image_url: "https://x.example/a.png" },
          ],
        },
      ],
    });
    expect(unmodelled).toEqual([]);
    expect(messages).toEqual([
      { role: "system", parts: [{ type: "text", text: "Be brief." }] },
      { role: "system", parts: [{ type: "text", text: "In German." }] },
      { role: "user", parts: [{ type: "text", text: "Rates?" }] },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", text: "Look.", encrypted: "gAAA", id: "rs_1" },
          { type: "text", text: "One moment." },
          { type: "tool_call", id: "call_1", name: "rate", arguments: "{}" },
          { type: "tool_call", id: "call_2", name: "run", arguments: "ls -l", custom: true },
          {
            type: "native",
            dialect: "openai-responses",
            kind: "web_search_call",
            value: { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
          },
        ],
      },
      { role: "tool", parts: [{ type: "tool_result", id: "call_1", text: "1.5 %" }] },
      {
        role: "tool",
        parts: [
          {
            type: "tool_result",
            id: "call_2",
            text: "a.png",
            parts: [
              { type: "text", text: "a.png" },
              { type: "image", url: "https://x.example/a.png" },
            ],
          },
        ],
      },
    ]);
  });

  it.each<[content: Fields, part: ChatPart]>([
    [
      { type: "input_image", image_url: "data:image/png;base64,iVBO", detail: "high" },
      { type: "image", media_type: "image/png", data: "iVBO", detail: "high" },
    ],
    [
      { type: "input_image", file_id: "file_1" },
      { type: "image", file_id: "file_1" },
    ],
    [
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" },
      { type: "file", name: "a.pdf", media_type: "application/pdf", data: "JVBE" },
    ],
    [
      { type: "input_file", file_url: "https://x.example/a.pdf" },
      { type: "file", url: "https://x.example/a.pdf" },
    ],
    [
      { type: "input_file", file_id: "file_2" },
      { type: "file", file_id: "file_2" },
    ],
    [
      { type: "input_audio", input_audio: { data: "UklG", format: "wav" } },
      { type: "audio", data: "UklG", format: "wav" },
    ],
    [
      { type: "input_text", text: "long", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } },
      { type: "text", text: "long", cache: "1h" },
    ],
  ])("%j is read and written back", (content, part) => {
    const request = decode({ input: [{ role: "user", content: [content] }] });
    expect(request.messages[0]!.parts).toEqual([part]);
    expect(request.unmodelled).toEqual([]);
    expect(encode(request)).toMatchObject({ body: { input: [{ role: "user", content: [content] }] }, dropped: [] });
  });

  it("a reference to what is stored at the vendor is for that vendor alone", () => {
    const request = decode({
      input: [
        { type: "item_reference", id: "msg_1" },
        { role: "user", content: "go on" },
      ],
    });
    expect(request.messages[0]!.parts).toMatchObject([{ type: "native", kind: "item_reference" }]);
    expect(encode(request).body["input"]).toEqual([
      { type: "item_reference", id: "msg_1" },
      { role: "user", content: "go on" },
    ]);
    expect(decode({ input: [{ id: "msg_1" }] }).messages[0]!.parts).toMatchObject([{ kind: "item_reference" }]);
  });
});

describe("what a client asks for", () => {
  it("is read field by field", () => {
    const request = decode({
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 3,
      include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
      stream: true,
      store: false,
      background: false,
      truncation: "disabled",
      parallel_tool_calls: false,
      reasoning: { effort: "high", summary: "auto" },
      text: { format: { type: "json_schema", name: "city", schema: { type: "object" }, strict: true } },
      tools: [
        { type: "function", name: "rate", description: "d", parameters: { type: "object" }, strict: true },
        { type: "function", name: "loose", parameters: null, strict: false },
        { type: "custom", name: "run", format: { type: "text" } },
      ],
      tool_choice: { type: "custom", name: "run" },
      metadata: { team: "a" },
      service_tier: "flex",
      safety_identifier: "u1",
      previous_response_id: "resp_1",
      user: null,
    });
    expect(request).toMatchObject({
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      logprobs: true,
      top_logprobs: 3,
      stream: true,
      wants_usage: true,
      parallel_tool_calls: false,
      reasoning: { effort: "high", summary: "auto" },
      response_format: { type: "json_schema", name: "city", schema: { type: "object" }, strict: true },
      tools: [
        { name: "rate", description: "d", parameters: { type: "object" }, strict: true },
        { name: "loose", parameters: { type: "object", properties: {} } },
        { name: "run", custom: true },
      ],
      tool_choice: { name: "run" },
      metadata: { team: "a" },
      service_class: "flex",
      user: "u1",
      previous_response_id: "resp_1",
      unmodelled: [],
    });
  });

  it.each<[body: Fields, unmodelled: string[]]>([
    [{ tools: [{ type: "web_search" }] }, ["tools[0]"]],
    [{ tools: [{ type: "custom", name: "run", format: { type: "grammar" } }] }, ["tools[0].format"]],
    [{ tool_choice: { type: "web_search_preview" } }, ["tool_choice"]],
    [{ text: { verbosity: "low", format: { type: "text" } } }, ["text.verbosity"]],
    [{ include: ["file_search_call.results"] }, ["include[0]"]],
    [{ store: true, truncation: "auto", prompt_cache_key: "k" }, ["store", "truncation", "prompt_cache_key"]],
    [{ service_tier: "auto" }, []],
    [{ service_tier: "scale" }, ["service_tier"]],
    [{ reasoning: { effort: "extreme", context: "x" } }, ["reasoning.context", "reasoning.effort"]],
    [{ user: "a", safety_identifier: "b" }, ["safety_identifier"]],
    [{ input: [{ role: "assistant", phase: "commentary", content: "x" }] }, ["input[0].phase"]],
    [{ input: [{ role: "user", content: [{ type: "input_video", url: "x" }] }] }, ["input[0].content[0]"]],
  ])("%j names what it can't carry", (body, unmodelled) => {
    expect(decode(body).unmodelled).toEqual(unmodelled);
  });

  it.each<[body: Fields, path: string, message: string]>([
    [{ model: "" }, "model", "empty"],
    [{ input: undefined }, "input", "string or an array"],
    [{ input: [] }, "input", "at least one"],
    [{ input: [{ role: "boss", content: "x" }] }, "input[0].role", "unknown role"],
    [{ input: [{ type: "function_call", name: "f", arguments: "{}" }] }, "input[0].call_id", "a string"],
    [{ input: [{ type: "item_reference" }] }, "input[0].id", "a string"],
    [
      { input: [{ role: "user", content: [{ type: "input_image" }] }] },
      "input[0].content[0]",
      "image_url or a file_id",
    ],
    [{ input: [{ role: "user", content: [{ type: "input_file" }] }] }, "input[0].content[0]", "file_data"],
    [{ background: true }, "background", "not supported"],
    [{ conversation: "conv_1" }, "conversation", "send the whole conversation"],
    [{ max_output_tokens: 0 }, "max_output_tokens", "at least 1"],
    [{ top_logprobs: -1 }, "top_logprobs", "negative"],
    [{ tool_choice: "any" }, "tool_choice", "auto, none"],
    [{ text: { format: { type: "xml" } } }, "text.format.type", "json_schema"],
    [{ metadata: { a: 1 } }, "metadata.a", "a string"],
    [{ previous_response_id: "" }, "previous_response_id", "empty"],
  ])("%j is refused", (body, path, message) => {
    const decoded = openaiResponsesClient.decodeRequest({ model: "m", input: "hi", ...body });
    expect(decoded).toMatchObject({ ok: false, path });
    expect(decoded.ok || decoded.message).toContain(message);
  });
});

describe("a vendor", () => {
  it("stores nothing, and gives encrypted reasoning where reasoning is spoken of", () => {
    expect(encode({}).body).toEqual({ model: "gpt-v", input: [{ role: "user", content: "hi" }], store: false });
    expect(encode({ reasoning: {} }).body).toMatchObject({ include: ["reasoning.encrypted_content"] });
    expect(encode({ reasoning: {} }).body).not.toHaveProperty("reasoning");
    const own: ChatPart = { type: "reasoning", text: "Hm.", encrypted: "gAAA", id: "rs_1" };
    expect(encode(asAssistant(own)).body).toMatchObject({
      include: ["reasoning.encrypted_content"],
      input: [
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "gAAA" },
      ],
    });
  });

  it("is instructed in the API's own field, unless the words bear a mark that only a message can hold", () => {
    const system = (part: ChatPart) => encode({ messages: [{ role: "system", parts: [part] }] }).body;
    expect(system({ type: "text", text: "Be brief." })).toMatchObject({ instructions: "Be brief.", input: [] });
    expect(system({ type: "text", text: "Be brief.", cache: "5m" })).toMatchObject({
      input: [{ role: "system", content: [{ prompt_cache_breakpoint: { mode: "explicit" } }] }],
    });
  });

  it("gets the words and the seal of one reasoning item as one, as a stream tells them apart", () => {
    const parts: ChatPart[] = [
      { type: "reasoning", text: "Hm.", id: "rs_1" },
      { type: "reasoning", text: "", encrypted: "gAAA", id: "rs_1" },
    ];
    expect(encode(asAssistant(...parts)).body["input"]).toEqual([
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "gAAA" },
    ]);
  });

  it.each<[name: string, request: Partial<ChatRequest>, dropped: string[]]>([
    ["another vendor's signature", asAssistant({ type: "reasoning", text: "x", signature: "s" }), ["reasoning"]],
    ["another vendor's encryption", asAssistant({ type: "reasoning", text: "", encrypted: "s" }), ["reasoning"]],
    ["reasoning in the clear", asAssistant({ type: "reasoning", text: "x", id: "rs_1" }), ["reasoning"]],
    ["a picture of its own", asAssistant({ type: "image", data: "x" }), ["messages.assistant.image"]],
    [
      "another dialect's own",
      asAssistant({ type: "native", dialect: "gemini", kind: "executable_code", value: {} }),
      ["gemini.executable_code"],
    ],
    [
      "a call's signature",
      asAssistant({ type: "tool_call", id: "c", name: "f", arguments: "{}", signature: "s" }),
      ["tool_call.signature"],
    ],
    [
      "a failed tool",
      { messages: [{ role: "tool", parts: [{ type: "tool_result", id: "c", text: "x", is_error: true }] }] },
      ["tool_result.is_error"],
    ],
    ["stop sequences", { stop: ["x"] }, ["stop"]],
    ["several answers", { n: 2 }, ["n"]],
    ["one answer", { n: 1 }, []],
    [
      "sampling",
      { seed: 1, top_k: 2, logit_bias: { "1": 2 }, presence_penalty: 1 },
      ["seed", "top_k", "presence_penalty", "logit_bias"],
    ],
    ["speech", { audio: { voice: "a", format: "mp3" } }, ["audio"]],
    ["a budget of thought", { reasoning: { budget_tokens: 2000 } }, ["reasoning.budget_tokens"]],
    ["the batch price", { service_class: "batch" }, ["service_class"]],
    ["a forced tool without tools", { tool_choice: "required" }, ["tool_choice"]],
    ["what was not modelled", { unmodelled: ["prompt_cache_key"] }, ["prompt_cache_key"]],
  ])("can't be told %s: it is named", (_name, request, dropped) => {
    expect(encode(request).dropped).toEqual(dropped);
  });

  it("is not sent what it refuses", () => {
    const { body, dropped } = encode({ temperature: 1 }, { ...target, refuses: ["temperature", "store", "top_p"] });
    expect([body["temperature"], body["store"], dropped]).toEqual([undefined, undefined, ["temperature", "store"]]);
  });

  it("is told the nearest effort, a stated one first, and functions that are not strict unless they are", () => {
    expect(encode({ reasoning: { budget_tokens: 2000 } }).body["reasoning"]).toEqual({ effort: "medium" });
    expect(encode({ reasoning: { effort: "low", budget_tokens: 2000 } }).body["reasoning"]).toEqual({ effort: "low" });
    expect(encode({ reasoning: { budget_tokens: -1 } }).dropped).toEqual([]);
    const { tools, tool_choice } = encode({
      tools: [{ name: "a" }, { name: "b", custom: true }],
      tool_choice: { name: "b" },
    }).body;
    expect(tools).toMatchObject([
      { type: "function", strict: false },
      { type: "custom", name: "b" },
    ]);
    expect(tool_choice).toEqual({ type: "custom", name: "b" });
  });

  it("hears of an earlier answer by its own name", () => {
    const { body, dropped } = encode(decode({ previous_response_id: "resp_1" }));
    expect([body["previous_response_id"], dropped]).toEqual(["resp_1", []]);
  });
});

describe("laws", () => {
  it("what is written is read back, and nothing of it is dropped", () => {
    fc.assert(
      fc.property(requestFor, (request) => {
        const { body, dropped } = openaiResponsesVendor.encodeRequest(request, { ...target, model: request.model });
        expect(dropped).toEqual([]);
        const decoded = openaiResponsesClient.decodeRequest(JSON.parse(JSON.stringify(body)));
        expect(decoded).toEqual({ ok: true, request });
      }),
    );
  });

  it("no body is too odd to be read or refused", () => {
    const item = fc.dictionary(
      fc.constantFrom("type", "role", "content", "id", "call_id", "name", "output", "summary"),
      fc.jsonValue(),
    );
    const odd = fc.dictionary(
      fc.constantFrom(
        "model",
        "input",
        "tools",
        "text",
        "reasoning",
        "include",
        "instructions",
        "metadata",
        "tool_choice",
      ),
      fc.oneof(fc.jsonValue(), fc.array(item)),
    );
    fc.assert(
      fc.property(fc.oneof(odd, fc.jsonValue()), (body) => {
        const decoded = openaiResponsesClient.decodeRequest(isFields(body) ? { model: "m", ...body } : body);
        if (decoded.ok) openaiResponsesVendor.encodeRequest(decoded.request, target);
        else expect(decoded.message).not.toBe("");
      }),
      { numRuns: 150 },
    );
  });
});

describe("forward", () => {
  const forward = (text: string, stream: boolean) =>
    Buffer.from(openaiResponsesVendor.forward!(Buffer.from(text), { model: "v", stream })).toString();
  it.each([
    [`{"model":"a","input":"x","n":1.0}`, false, `{"model":"v","input":"x","n":1.0}`],
    [`{"model":"a","big":9007199254740993}`, true, `{"model":"v","big":9007199254740993,"stream":true}`],
    [
      `{"model":"a","stream":true,"stream_options":{"x":1}}`,
      true,
      `{"model":"v","stream":true,"stream_options":{"x":1}}`,
    ],
    [
      `{"model":"a","stream":true,"stream_options":{"x":1}}`,
      false,
      `{"model":"v","stream":false,"stream_options":null}`,
    ],
  ])("%s, streaming %s", (body, stream, expected) => expect(forward(body, stream)).toBe(expected));
});
