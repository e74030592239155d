import { describe, expect, it } from "vitest";
import type { ChatMessage, ChatPart, ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import { clientDialects } from "../index.ts";
import { requestOf } from "../sample-chats.ts";
import { cohereVendor } from "./index.ts";

function encoded(changes: Partial<ChatRequest>, refuses: string[] = []) {
  const { body, dropped } = cohereVendor.encodeRequest(requestOf(changes), {
    model: "command-a",
    defaultMaxTokens: 9,
    refuses,
  });
  return { body: JSON.parse(JSON.stringify(body)) as Record<string, unknown>, dropped };
}
const user = (...parts: ChatPart[]): ChatMessage => ({ role: "user", parts });
const assistant = (...parts: ChatPart[]): ChatMessage => ({ role: "assistant", parts });
const text = (words: string): ChatPart => ({ type: "text", text: words });
const call = (id: string, more: object = {}): ChatPart => ({
  type: "tool_call",
  id,
  name: "f",
  arguments: "{}",
  ...more,
});

describe("fields", () => {
  it("has a name of its own for each", () => {
    const changes: Partial<ChatRequest> = {
      stream: true,
      temperature: 0.7,
      top_p: 0.9,
      top_k: 4,
      max_tokens: 10,
      seed: 1,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      logprobs: true,
      stop: ["x"],
      messages: [user(text("q"))],
    };
    expect(encoded(changes)).toEqual({
      body: {
        model: "command-a",
        messages: [{ role: "user", content: "q" }],
        stream: true,
        temperature: 0.7,
        p: 0.9,
        k: 4,
        max_tokens: 10,
        seed: 1,
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
        logprobs: true,
        stop_sequences: ["x"],
      },
      dropped: [],
    });
    expect(encoded(changes, ["seed"]).dropped).toEqual(["seed"]);
  });

  const tools = [{ name: "f", strict: true }];

  it.each<[Partial<ChatRequest>, string[]]>([
    [{ top_p: 1 }, ["top_p"]],
    [{ presence_penalty: -1 }, ["presence_penalty"]],
    [{ n: 2 }, ["n"]],
    [{ n: 1 }, []],
    [{ logit_bias: {} }, ["logit_bias"]],
    [{ top_logprobs: 3 }, ["top_logprobs"]],
    [{ service_class: "flex" }, ["service_class"]],
    [{ stop: ["1", "2", "3", "4", "5", "6"] }, ["stop"]],
    [{ tools: [...tools, { name: "g", custom: true }] }, ["tools.custom"]],
    [{ tools: [...tools, { name: "g" }] }, ["tools.strict"]],
    [{ tools, parallel_tool_calls: false }, ["parallel_tool_calls"]],
    [{ tools, response_format: { type: "json_object" } }, ["response_format"]],
    [{ tools, tool_choice: { name: "unheard" } }, ["tool_choice"]],
    [{ tool_choice: "required" }, ["tool_choice"]],
    [{ messages: [user({ type: "audio", data: "A" })] }, ["messages.audio"]],
    [{ messages: [user({ type: "file", data: "A", media_type: "application/pdf" })] }, ["messages.file"]],
    [{ messages: [user({ type: "image", file_id: "f" })] }, ["messages.image"]],
    [{ messages: [assistant({ type: "reasoning", text: "t", signature: "s" })] }, ["reasoning"]],
    [{ messages: [assistant(call("1", { signature: "s" }))] }, ["tool_calls.signature"]],
    [
      { messages: [{ role: "tool", parts: [{ type: "tool_result", id: "1", text: "x", is_error: true }] }] },
      ["tool_result.is_error"],
    ],
  ])("%j loses %j", (changes, dropped) => expect(encoded(changes).dropped).toEqual(dropped));

  it.each<[ChatRequest["tool_choice"], string[], unknown]>([
    [undefined, ["f", "g"], undefined],
    ["auto", ["f", "g"], undefined],
    ["none", ["f", "g"], "NONE"],
    ["required", ["f", "g"], "REQUIRED"],
    [{ name: "g" }, ["g"], "REQUIRED"],
    [{ name: "unheard" }, ["f", "g"], undefined],
  ])("tool_choice %j shows %j", (choice, names, word) => {
    const { body } = encoded({
      tools: [{ name: "f" }, { name: "g" }],
      ...(choice !== undefined && { tool_choice: choice }),
    });
    expect((body["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name)).toEqual(names);
    expect(body["tool_choice"]).toEqual(word);
  });

  it("holds all tools strictly, or an answer to its schema", () => {
    expect(encoded({ tools }).body).toMatchObject({ strict_tools: true });
    const schema = { type: "object", properties: { a: { type: "string" } } };
    expect(encoded({ response_format: { type: "json_schema", name: "x", schema } }).body["response_format"]).toEqual({
      type: "json_object",
      json_schema: schema,
    });
  });

  it.each<[ReasoningAsk, unknown, string[]]>([
    [{ effort: "none" }, { type: "disabled" }, []],
    [{ effort: "medium" }, { type: "enabled", token_budget: 8192 }, ["reasoning.effort"]],
    [{ budget_tokens: 500 }, { type: "enabled", token_budget: 500 }, []],
    [{ budget_tokens: -1 }, { type: "enabled" }, []],
    [{ budget_tokens: 0 }, { type: "disabled" }, []],
    [{ adaptive: true, summary: "none" }, { type: "enabled" }, ["reasoning.summary"]],
    [{ summary: "auto" }, undefined, []],
  ])("asked %j it is told %j", (reasoning, thinking, dropped) => {
    const { body, dropped: lost } = encoded({ reasoning });
    expect(body["thinking"]).toEqual(thinking);
    expect(lost).toEqual(dropped);
  });
});

describe("messages", () => {
  it("OpenAI's of a whole turn with tools and a picture", () => {
    const decoded = clientDialects["openai-chat"].decodeRequest({
      model: "assistant",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
        },
        { role: "tool", tool_call_id: "1", content: "x" },
        { role: "assistant", content: "Done." },
        { role: "user", content: "Thanks" },
      ],
    });
    if (!decoded.ok) throw new Error(decoded.message);
    const { body, dropped } = cohereVendor.encodeRequest(decoded.request, { model: "m", defaultMaxTokens: 1 });
    expect((body as { messages: unknown }).messages).toEqual([
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "What?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } },
        ],
      },
      { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"a":1}' } }] },
      { role: "tool", tool_call_id: "1", content: "x" },
      { role: "assistant", content: "Done." },
      { role: "user", content: "Thanks" },
    ]);
    expect(dropped).toEqual([]);
  });

  it("thoughts go back as the plan of calls, or as a block", () => {
    const thought: ChatPart = { type: "reasoning", text: "Hm." };
    const { body } = encoded({ messages: [assistant(thought, call("1")), assistant(thought, text("Yes"))] });
    expect(body["messages"]).toMatchObject([
      { tool_plan: "Hm.", tool_calls: [{ id: "1" }] },
      {
        content: [
          { type: "thinking", thinking: "Hm." },
          { type: "text", text: "Yes" },
        ],
      },
    ]);
  });

  it("pictures from tools are shown by the user after all results", () => {
    const shown = { type: "image", media_type: "image/png", data: "AAAA" };
    const messages: ChatMessage[] = [
      assistant(call("1"), call("2")),
      { role: "tool", parts: [{ type: "tool_result", id: "1", text: "", parts: [shown as never] }] },
      { role: "tool", parts: [{ type: "tool_result", id: "2", text: "x" }] },
      user(text("so?")),
    ];
    expect((encoded({ messages }).body["messages"] as unknown[]).slice(1)).toEqual([
      { role: "tool", tool_call_id: "1", content: "The result follows in the next user message." },
      { role: "tool", tool_call_id: "2", content: "x" },
      {
        role: "user",
        content: [
          { type: "text", text: "Result of tool call 1:" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        ],
      },
      { role: "user", content: "so?" },
    ]);
  });

  it("text files are read out", () => {
    const file: ChatPart = { type: "file", media_type: "text/plain", data: Buffer.from("héllo").toString("base64") };
    expect(encoded({ messages: [user(file)] }).body["messages"]).toEqual([{ role: "user", content: "héllo" }]);
  });
});
