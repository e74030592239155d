/** The routes of chats over the real server on loopback: the official client asks, a gateway without stages answers. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientDialects } from "../../engines/dialects/index.ts";
import type { ChatResponse } from "../../kernel/chat.ts";
import { eventsOf } from "../../kernel/chat-stream.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { Ask, Frame, Outcome } from "../../path/context.ts";
import { type Gateway, createGatewayServer } from "../gateway/index.ts";
import { openaiRoutes } from "./index.ts";

const answer: ChatResponse = {
  model: "vendor-model",
  parts: [{ type: "text", text: "Zürich 🏦" }],
  finish: "stop",
  usage: { input: 5, cached_input: 3, output: 7, estimated: false },
};

let asked: Ask | undefined;
let refusal: Refusal | undefined;

async function* frames(): AsyncGenerator<Frame> {
  for (const event of eventsOf(answer)) yield { events: [event] };
}

const gateway: Gateway = {
  clock: new VirtualClock(),
  decide: async (call) => {
    const ask = await call.read();
    const refused = isRefusal(ask) ? ask : refusal;
    asked = isRefusal(ask) ? undefined : ask;
    const streamed = asked?.kind === "chat" && asked.request.stream;
    const told: Outcome = streamed
      ? { type: "stream", frames: frames(), passThrough: false }
      : { type: "chat", response: answer };
    return { decision: call.decision, outcome: refused ? { type: "refused", refusal: refused } : told };
  },
  countRefusal: () => {},
  report: () => {},
  maxBodyBytes: 2 ** 20,
  draining: () => false,
};

const { server } = createGatewayServer(gateway, {
  routes: openaiRoutes(
    gateway,
    {
      openai: clientDialects["openai-chat"],
      anthropic: clientDialects["anthropic-messages"],
      responses: clientDialects["openai-responses"],
      completions: clientDialects["openai-completions"],
    },
    { identify: () => refuse("invalid_key"), snapshot: () => ({}) as never, sinceMs: () => 0 },
  ),
});
let client: OpenAI;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  client = new OpenAI({ apiKey: "k", baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  asked = undefined;
  refusal = undefined;
});

describe("POST /v1/responses", () => {
  const ask = { model: "use-case", input: "hi" };

  it("is answered whole and streamed, in the client's own dialect", async () => {
    const whole = await client.responses.create(ask);
    expect(whole).toMatchObject({ object: "response", output_text: "Zürich 🏦", usage: { total_tokens: 15 } });
    expect(asked).toMatchObject({ kind: "chat", useCase: "use-case", dialect: "openai-responses" });
    expect((await client.responses.stream(ask).finalResponse()).output_text).toBe("Zürich 🏦");
  });

  it("is refused with the field that is wrong, and with Weir's own code", async () => {
    const wrong = client.responses.create({ ...ask, conversation: "conv_1" });
    await expect(wrong).rejects.toMatchObject({ status: 400, code: "invalid_request", param: "conversation" });
    refusal = refuse("unsupported_feature", "No.", { param: "previous_response_id" });
    const refused = client.responses.create({ ...ask, previous_response_id: "resp_1" });
    await expect(refused).rejects.toMatchObject({ status: 400, code: "unsupported_feature" });
  });
});

describe("POST /v1/completions", () => {
  it("is answered whole and streamed", async () => {
    const ask = { model: "use-case", prompt: "Once" };
    const whole = await client.completions.create(ask);
    expect(whole).toMatchObject({ object: "text_completion", choices: [{ text: "Zürich 🏦", finish_reason: "stop" }] });
    expect(asked).toMatchObject({ dialect: "openai-completions" });
    let text = "";
    for await (const chunk of await client.completions.create({ ...ask, stream: true })) text += chunk.choices[0]!.text;
    expect(text).toBe("Zürich 🏦");
  });
});
