/** Hard cases 20, 21 and 25 over real HTTP: what a second turn brings to a vendor of another dialect, and how thoughts find their way back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordOf } from "../../faults/vendor-house.ts";
import { type MatrixHouse, startMatrixHouse } from "./matrix-house.ts";
import { calls, vendorCases } from "./vendors.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => {
  matrix.vendor.reset();
  matrix.vendor.fallback({ text: "Yes.", usage: { input: 5, output: 1 } });
});

const paths = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" } as const;

/** One request by hand; says what its vendor was sent, and what was dropped on the way. */
async function put(path: keyof typeof paths, body: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${matrix.key}` };
  const before = matrix.vendor.received.length;
  const response = await matrix.house.post(paths[path], body, headers);
  const answer = (await response.json()) as Record<string, unknown>;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return {
    answer,
    sent: matrix.vendor.received[before]!.json,
    dropped: response.headers.get("x-weir-dropped")?.split(", ") ?? [],
    decision: response.headers.get("x-weir-decision-id"),
  };
}

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const toolSchema = { type: "object", properties: { city: { type: "string" } } };

describe("case 20: an OpenAI client of an Anthropic vendor", () => {
  it("roles, neighbours, tool results with images, a maximum, stops, temperature and user", async () => {
    const { sent, dropped, decision } = await put("chat", {
      model: "anthropic-messages",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "developer", content: "Be polite." },
        { role: "user", content: "First." },
        { role: "user", content: "Second." },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "f", arguments: '{"city":"Zürich"}' } },
            { id: "call_2", type: "function", function: { name: "f", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: [{ type: "text", text: "1.25 %" }] },
        { role: "tool", tool_call_id: "call_2", content: "noon" },
        { role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }] },
      ],
      tools: [{ type: "function", function: { name: "f", parameters: toolSchema } }],
      stop: "END",
      temperature: 1.6,
      user: "u-1",
      seed: 1,
    });
    expect(sent).toMatchObject({
      max_tokens: 1000,
      stop_sequences: ["END"],
      temperature: 1,
      metadata: { user_id: "u-1" },
    });
    expect(JSON.stringify(sent["system"])).toMatch(/Be brief\..*Be polite\./s);
    const messages = sent["messages"] as { role: string; content: { type: string }[] }[];
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[1]!.content).toMatchObject([
      { type: "tool_use", id: "call_1", name: "f", input: { city: "Zürich" } },
      { type: "tool_use", id: "call_2", name: "f", input: {} },
    ]);
    expect(messages[2]!.content.map(({ type }) => type)).toEqual(["tool_result", "tool_result", "image"]);
    expect(dropped.sort()).toEqual(["seed", "temperature"]);
    expect((await recordOf(matrix.house, decision)).settled[0]!.dropped?.toSorted()).toEqual(["seed", "temperature"]);
  });
});

describe("case 21: an Anthropic client of other vendors", () => {
  const thinking = [
    { type: "thinking", thinking: "Let me see.", signature: "sig-1" },
    { type: "redacted_thinking", data: "sealed" },
  ];
  const asked = (model: string) => ({
    model,
    max_tokens: 100,
    system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
    messages: [
      { role: "user", content: "What is the rate?" },
      {
        role: "assistant",
        content: [...thinking, { type: "tool_use", id: "toolu_1", name: "f", input: { city: "Zürich" } }],
      },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "toolu_1", is_error: true, content: "no such city" }],
      },
    ],
    tools: [{ name: "f", input_schema: toolSchema }],
  });

  it("its own: thoughts, seals, marks and failed tools arrive as they were", async () => {
    const body = asked("anthropic-messages");
    const { sent, dropped } = await put("messages", body);
    expect(sent).toEqual({ ...body, model: "claude-vendor" });
    expect(dropped).toEqual([]);
  });

  it("Bedrock's Claude: the same in Converse's words", async () => {
    const { sent, dropped } = await put("messages", asked("bedrock-converse"));
    expect(sent["system"]).toEqual([{ text: "Be brief." }, { cachePoint: { type: "default" } }]);
    const [, assistant, user] = sent["messages"] as { content: unknown[] }[];
    expect(assistant!.content).toEqual([
      { reasoningContent: { reasoningText: { text: "Let me see.", signature: "sig-1" } } },
      { reasoningContent: { redactedContent: "sealed" } },
      { toolUse: { toolUseId: "toolu_1", name: "f", input: { city: "Zürich" } } },
    ]);
    expect(user!.content).toEqual([
      { toolResult: { toolUseId: "toolu_1", status: "error", content: [{ text: "no such city" }] } },
    ]);
    expect(dropped).toEqual([]);
  });

  it.each(["openai-chat", "openai-responses", "gemini", "cohere"] as const)(
    "%s: thoughts and marks are no one else's, and are named",
    async (vendor) => {
      const { sent, dropped } = await put("messages", asked(vendor));
      expect(dropped).toEqual(expect.arrayContaining(["reasoning"]));
      for (const secret of ["sig-1", "sealed", "Let me see."]) expect(JSON.stringify(sent)).not.toContain(secret);
      const { results } = vendorCases[vendor].sent(matrix.vendor.received[0]!);
      expect(results).toHaveLength(1);
      expect(results[0]!.text).toContain("no such city");
      // Gemini knows failed tools, the Responses API marks of what to keep.
      expect(dropped.includes("tool_result.is_error")).toBe(vendor !== "gemini");
      expect(dropped.includes("cache_control")).toBe(vendor !== "openai-responses");
    },
  );

  it("citations and server tools pass within the dialect, and are named elsewhere", async () => {
    const messages = [{ role: "user", content: "Search." }];
    const tools = [{ type: "web_search_20250305", name: "web_search", max_uses: 2 }];
    const own = await put("messages", { model: "anthropic-messages", max_tokens: 9, messages, tools });
    expect(own.sent["tools"]).toEqual(tools);
    const other = await put("messages", { model: "gemini", max_tokens: 9, messages, tools });
    expect(other.dropped).toEqual(["tools[0]"]);
  });
});

describe("case 25: thoughts and their seals", () => {
  const { usage } = vendorCases["anthropic-messages"];
  const play = { reasoning: "Let me see.", signature: "sig-1", calls, usage };

  // The runners of these clients hand back what they were given.
  it.each([
    ["anthropic-messages", "anthropic-messages"],
    ["anthropic-messages", "bedrock-converse"],
    ["openai-responses", "openai-responses"],
    ["openai-responses", "anthropic-messages"],
    ["openai-responses", "bedrock-converse"],
    ["openai-responses", "gemini"],
  ] as const)("go out to %s and come home to %s, whole and streamed", async (client, vendor) => {
    for (const stream of [false, true]) {
      matrix.vendor.reset();
      const own = vendorCases[vendor].usage;
      matrix.vendor.play({ ...play, usage: own }, { text: "1.25 %", usage: own });
      await matrix.client(client).runTools(vendor, stream, () => "1.25 %");
      const { thoughts } = vendorCases[vendor].sent(matrix.vendor.received[1]!);
      expect(JSON.stringify(thoughts), stream ? "streamed" : "whole").toContain("sig-1");
    }
  });

  // OpenAI's own runner of chats hands back only what it knows; clients that echo all of it bring them home.
  it.each(["anthropic-messages", "bedrock-converse", "gemini"] as const)(
    "go out to a chat client that echoes its answers and come home to %s",
    async (vendor) => {
      matrix.vendor.play({ ...play, usage: vendorCases[vendor].usage });
      const user = { role: "user", content: "What is the rate?" };
      const { answer } = await put("chat", { model: vendor, messages: [user] });
      const [{ message }] = answer["choices"] as [{ message: unknown }];
      const results = calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "1.25 %" }));
      const { dropped } = await put("chat", { model: vendor, messages: [user, message, ...results] });
      const { thoughts } = vendorCases[vendor].sent(matrix.vendor.received[1]!);
      expect(JSON.stringify(thoughts)).toContain("sig-1");
      // Gemini proves calls, not the words before them.
      expect(dropped).toEqual(vendor === "gemini" ? ["reasoning"] : []);
    },
  );

  // Where a client has no place for the proof of a call, Gemini is told to do without: else it would refuse the call.
  it.each(["openai-chat", "anthropic-messages"] as const)(
    "are lost on %s's own runner of calls, and Gemini is told so",
    async (client) => {
      const own = vendorCases["gemini"].usage;
      matrix.vendor.play({ ...play, usage: own }, { text: "1.25 %", usage: own });
      expect(await matrix.client(client).runTools("gemini", false, () => "1.25 %")).toBe("1.25 %");
      const { thoughts } = vendorCases["gemini"].sent(matrix.vendor.received[1]!);
      expect(JSON.stringify(thoughts)).toContain("skip_thought_signature_validator");
    },
  );

  it.each(["openai-chat", "openai-responses", "anthropic-messages"] as const)(
    "are told to %s, and counted once",
    async (client) => {
      for (const way of ["create", "stream"] as const) {
        matrix.vendor.play({ reasoning: "Let me see.", text: "Yes.", usage: { input: 5, output: 9, reasoning: 4 } });
        const heard = await matrix.client(client)[way]({ useCase: "gemini" });
        expect(heard).toMatchObject({ thoughts: "Let me see.", text: "Yes.", usage: { input: 5, output: 9 } });
        const record = await recordOf(matrix.house, heard.headers.get("x-weir-decision-id"));
        expect(record.attempts).toMatchObject([{ usage: { output: 9, reasoning: 4 } }]);
      }
    },
  );

  it.each([
    ["openai-chat", { reasoning_effort: "high" }],
    ["openai-responses", { reasoning: { effort: "high" } }],
    ["anthropic-messages", { thinking: { type: "adaptive" }, output_config: { effort: "high" } }],
    ["gemini", { generationConfig: { thinkingConfig: { thinkingLevel: "high" } } }],
    [
      "bedrock-converse",
      { additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "high" } } },
    ],
    ["cohere", { thinking: { type: "enabled", token_budget: 24_576 } }],
  ] as const)("an effort is told to %s in its own measure", async (vendor, expected) => {
    const { sent } = await put("chat", {
      model: vendor,
      messages: [{ role: "user", content: "Why?" }],
      reasoning_effort: "high",
      max_completion_tokens: 1000,
    });
    expect(sent).toMatchObject(expected);
  });

  it("sealed thoughts of one vendor never go to another", async () => {
    const sealed = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "their-secret" };
    const input = [
      { role: "user", content: "Why?" },
      sealed,
      { role: "assistant", content: "Because." },
      { role: "user", content: "And?" },
    ];
    const own = await put("responses", { model: "openai-responses", input });
    expect(JSON.stringify(own.sent)).toContain("their-secret");
    for (const vendor of ["openai-chat", "anthropic-messages", "gemini", "bedrock-converse", "cohere"]) {
      const { sent, dropped } = await put("responses", { model: vendor, input });
      expect(JSON.stringify(sent), vendor).not.toContain("their-secret");
      expect(dropped, vendor).toContain("reasoning");
    }
  });
});
