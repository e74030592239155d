/**
 * Hard case 30 and A9: an answer is given again only for the same question of the same people; what is given again looks
 * like the first; what isn't whole is never kept; and a conversation that a vendor keeps goes to that vendor.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, told } from "../../faults/vendor-house.ts";
import { type Play, type Script, type ScriptedVendor, startScriptedVendor } from "../../fixtures/scripted-vendor.ts";
import { anthropicOf, nothingLeft, openaiOf, startHardHouse } from "./hard-house.ts";

const useCases = `
cached: { kind: chat, ladder: [oa-main], retries: 0, cache: { exact: 10m } }
cached-an: { kind: chat, ladder: [an-main], retries: 0, cache: { exact: 10m } }
secret: { kind: chat, data_class: sensitive, ladder: [oa-main], retries: 0, cache: { exact: 10m } }
`;
const tenants = "tenants: { lindenbank: {}, neighbour: {} }";

let vendor: ScriptedVendor;
let house: TimedHouse;
let answers = 0;
const keys: Record<string, string> = {};
beforeAll(async () => {
  vendor = await startScriptedVendor();
  house = await startHardHouse(new VirtualClock(), vendor.origin, useCases, tenants);
  const mint = (name: string, tenant: string, groups: string[]) => {
    const principal = { type: "service", id: name } as const;
    keys[name] = house.admin.keys.mint({ label: name, tenant, principal, use_cases: ["*"], groups }).commit().key;
  };
  mint("adviser", "lindenbank", ["staff", "advisers"]);
  mint("other-adviser", "lindenbank", ["advisers", "staff"]);
  mint("clerk", "lindenbank", ["staff"]);
  mint("nobody", "lindenbank", []);
  mint("neighbour", "neighbour", ["staff", "advisers"]);
  house.house.directory.refresh();
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => {
  vendor.reset();
  // Each call its own words: whoever gets another's answer shows it.
  vendor.fallback(() => ({ text: `Answer ${++answers}.`, usage: { input: 9, output: 4 } }));
});

const tools = [{ type: "function", function: { name: "pay", parameters: { type: "object", properties: {} } } }];
const messages = [{ role: "user", content: "What does an account cost?" }];
interface Asked {
  key?: string;
  path?: string;
  headers?: Record<string, string>;
  [field: string]: unknown;
}
async function put({ key = "adviser", path = "/v1/chat/completions", headers, ...fields }: Asked = {}) {
  const response = await fetch(house.origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${keys[key]}`, ...headers },
    body: JSON.stringify({ model: "cached", messages, ...fields }),
  });
  return told(response);
}

describe("case 30 and A9: what is another question", () => {
  // Asked after the plain question, in one cache: each must be a call and an answer of its own.
  const others: [string, Asked][] = [
    ["another tenant, with the same groups", { key: "neighbour" }],
    ["fewer groups", { key: "clerk" }],
    ["no groups", { key: "nobody" }],
    ["a system prompt", { messages: [{ role: "system", content: "Be brief." }, ...messages] }],
    ["another system prompt", { messages: [{ role: "system", content: "Be kind." }, ...messages] }],
    ["the same words in another role", { messages: [{ role: "system", content: messages[0]!.content }, ...messages] }],
    ["tools", { tools }],
    ["another tool", { tools: [{ ...tools[0], function: { ...tools[0]!.function, name: "refund" } }] }],
    ["a tool choice", { tools, tool_choice: "required" }],
    ["a temperature", { temperature: 0 }],
    ["another temperature", { temperature: 0.1 }],
    ["top_p", { top_p: 0.5 }],
    ["a seed", { seed: 1 }],
    ["a stop", { stop: ["x"] }],
    ["a longest answer", { max_tokens: 7 }],
    ["a response format", { response_format: { type: "json_object" } }],
    ["an effort", { reasoning_effort: "low" }],
    ["a field that Weir doesn't know", { some_new_field: 1 }],
    ["the same field with another value", { some_new_field: 2 }],
    ["another use case of a higher data class", { model: "secret" }],
  ];

  it("the same question of the same rights is one call, whoever asks, whole or streaming", async () => {
    const first = await put();
    for (const again of [{}, { key: "other-adviser" }, { stream: true }, { user: "u-7" }]) {
      const answer = await put(again);
      expect([answer.text, answer.headers.get("x-weir-cache")]).toEqual([first.text, "hit"]);
    }
    expect(vendor.received).toHaveLength(1);
  });

  it("Anthropic's own fields and features make another question too", async () => {
    const base = { path: "/v1/messages", model: "cached-an", max_tokens: 2000 };
    const own: Asked[] = [
      base,
      { ...base, headers: { "anthropic-beta": "interleaved-thinking-2025-05-14" } },
      { ...base, top_k: 5 },
      { ...base, thinking: { type: "enabled", budget_tokens: 1024 } },
      { ...base, system: "Be brief." },
      { ...base, system: [{ type: "text", text: "Be kind." }] },
      { ...base, service_tier: "standard_only" },
    ];
    const heard = new Set<string>();
    for (const asked of own) heard.add((await put(asked)).text);
    expect(heard.size).toBe(own.length);
  });

  it("everything else is not, each by itself", async () => {
    const heard = new Set([(await put()).text]);
    for (const [what, asked] of others) {
      const answer = await put(asked);
      expect([answer.status, answer.headers.get("x-weir-cache"), heard.has(answer.text)], what).toEqual([
        200,
        "miss",
        false,
      ]);
      heard.add(answer.text);
      // And it is remembered as what it is.
      expect((await put(asked)).text, what).toBe(answer.text);
    }
    await nothingLeft(house);
  });
});

describe("case 30: what is given again", () => {
  const question = (text: string) => [{ role: "user" as const, content: text }];
  const spoken: Play = { text: "An account costs nothing at all.", pieces: 5, usage: { input: 9, output: 4 } };

  it.each(["cached", "cached-an"])(
    "%s: to OpenAI's client a replayed stream is what the live one was",
    async (model) => {
      vendor.fallback(spoken);
      const client = openaiOf(house, keys["adviser"]);
      const ask = async () => {
        const stream = client.chat.completions.stream({
          model,
          messages: question(`Openly ${model}?`),
          stream_options: { include_usage: true },
        });
        const order: string[] = [];
        for await (const { choices, usage } of stream) {
          const [choice] = choices;
          const said = [choice?.delta.content && "content", choice?.finish_reason, usage && "usage"]
            .filter(Boolean)
            .join("+");
          if (said !== "" && order.at(-1) !== said) order.push(said);
        }
        const { choices, usage } = await stream.finalChatCompletion();
        return { order, choices, spent: usage && [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens] };
      };
      const live = await ask();
      expect(live.order).toEqual(["content", "stop", "usage"]);
      expect(await ask()).toEqual(live);
      expect(vendor.received).toHaveLength(1);
    },
  );

  it.each(["cached", "cached-an"])("%s: and to Anthropic's", async (model) => {
    vendor.fallback(spoken);
    const client = anthropicOf(house, keys["adviser"]);
    const ask = async () => {
      const stream = client.messages.stream({ model, max_tokens: 50, messages: question(`Closely ${model}?`) });
      const order: string[] = [];
      for await (const { type } of stream) if (order.at(-1) !== type) order.push(type);
      const { content, stop_reason, usage } = await stream.finalMessage();
      return { order, content, stop_reason, spent: [usage.input_tokens, usage.output_tokens] };
    };
    const live = await ask();
    expect(live.order).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(await ask()).toEqual(live);
    expect(vendor.received).toHaveLength(1);
  });

  const failures: [string, Script][] = [
    ["an error", { status: 500 }],
    ["a refusal", { status: 400 }],
    ["an answer that was cut off by the vendor", { text: "Half an answ", ending: "truncate" }],
    ["one that was reset", { text: "Half an answ", ending: "reset" }],
    ["a pending tool call", { text: "Let me look.", calls: [{ id: "call_1", name: "pay", arguments: "{}" }] }],
  ];
  const table = failures.flatMap(([what, script]) => [true, false].map((stream) => ({ what, script, stream })));
  it.each(table)("$what is never kept (streaming $stream)", async ({ what, script, stream }) => {
    const asked = { messages: question(`What of ${what} ${stream}?`), tools, stream };
    vendor.play(script);
    await put(asked);
    const second = await put(asked);
    expect([second.status, second.headers.get("x-weir-cache")]).toEqual([200, "miss"]);
    expect(second.text).toMatch(/^Answer \d+\.$/);
    expect((await put(asked)).headers.get("x-weir-cache")).toBe("hit");
    await nothingLeft(house);
  });

  it("an answer whose reader left is never kept", async () => {
    const asked = { model: "cached", messages: question("Who leaves?"), stream: true };
    vendor.play({ text: "Some words", ending: "hang" });
    const client = new AbortController();
    const response = await fetch(`${house.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${keys["adviser"]}` },
      body: JSON.stringify(asked),
      signal: client.signal,
    });
    await response.body!.getReader().read();
    client.abort();
    await nothingLeft(house);
    expect((await put(asked)).headers.get("x-weir-cache")).toBe("miss");
  });
});
