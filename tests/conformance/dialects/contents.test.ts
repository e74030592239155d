/** Hard cases 22, 23, 24 and 27 over real HTTP: schemas, media, several answers, and what nobody here knows. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { namedSse, sse } from "../../fixtures/scripted-play.ts";
import { answerText } from "./answer-schema.ts";
import { type MatrixHouse, clientNames, startMatrixHouse } from "./matrix-house.ts";
import { type VendorName, vendorCases, vendorNames } from "./vendors.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => {
  matrix.vendor.reset();
  matrix.vendor.fallback({ text: "Yes.", usage: { input: 5, output: 1 } });
});

async function send(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await matrix.house.post(path, body, { authorization: `Bearer ${matrix.key}`, ...headers });
  const text = await response.text();
  return { status: response.status, text, dropped: response.headers.get("x-weir-dropped")?.split(", ") ?? [] };
}
const chat = (body: Record<string, unknown>) => send("/v1/chat/completions", body);
const received = (index = 0) => matrix.vendor.received[index]!;
const user = (content: unknown) => [{ role: "user", content }];

describe("case 22: structured answers", () => {
  const schema = {
    type: "object",
    properties: { head: { $ref: "#/$defs/node" } },
    required: ["head"],
    additionalProperties: false,
    $defs: {
      node: {
        type: "object",
        properties: { value: { type: "string" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
        required: ["value", "next"],
        additionalProperties: false,
      },
    },
  };

  it.each(vendorNames)("a schema that refers to itself reaches %s unchanged", async (vendor) => {
    const format = { type: "json_schema", json_schema: { name: "list", schema, strict: true } };
    const { status } = await chat({ model: vendor, messages: user("List."), response_format: format });
    expect(status).toBe(200);
    expect(vendorCases[vendor].sent(received()).schema).toEqual(schema);
  });

  it.each(vendorNames.flatMap((vendor) => clientNames.map((client) => [client, vendor] as const)))(
    "%s over %s: half of the JSON comes while it is written",
    async (client, vendor) => {
      matrix.vendor.play({ text: answerText, usage: vendorCases[vendor].usage, pieces: 6 });
      const heard = await matrix.client(client).stream({ useCase: vendor });
      expect([heard.text, heard.pieces]).toEqual([answerText, 6]);
    },
  );
});

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const pdf = Buffer.from("%PDF-1.4 a short one").toString("base64");
const wav = Buffer.from("RIFF a short one").toString("base64");

describe("case 23: images, documents and audio", () => {
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } };
  const file = { type: "file", file: { filename: "terms.pdf", file_data: `data:application/pdf;base64,${pdf}` } };
  const audio = { type: "input_audio", input_audio: { data: wav, format: "wav" } };
  const uploaded = { type: "file", file: { file_id: "file-1" } };
  const all = vendorNames;
  const others = (...without: VendorName[]) => all.filter((name) => !without.includes(name));
  const rows: [string, object, string, readonly VendorName[]][] = [
    ["an image as data", image, png, all],
    ["a PDF as data", file, pdf, others("cohere")],
    ["audio as data", audio, wav, ["openai-chat", "openai-responses", "gemini"]],
    ["an uploaded file", uploaded, "file-1", ["openai-chat", "openai-responses", "anthropic-messages"]],
  ];
  it.each(
    rows.flatMap(([title, part, mark, takers]) => all.map((v) => [title, v, part, mark, takers.includes(v)] as const)),
  )("%s: %s gets it, or its loss is named", async (_title, vendor, part, mark, taken) => {
    const { status, dropped } = await chat({ model: vendor, messages: user([{ type: "text", text: "See:" }, part]) });
    expect(status).toBe(200);
    expect(received().body.includes(mark)).toBe(taken);
    expect(taken || dropped.length > 0).toBe(true);
  });

  it("addresses of images are never fetched here, whoever they point to", async () => {
    let fetched = 0;
    const inside = createServer((_request, response) => {
      fetched += 1;
      response.end("secret");
    });
    await new Promise<void>((done) => inside.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(inside.address() as AddressInfo).port}/latest/meta-data/image.png`;
    for (const vendor of vendorNames) {
      matrix.vendor.reset();
      matrix.vendor.fallback({ text: "Yes.", usage: { input: 5, output: 1 } });
      const { status, dropped } = await chat({
        model: vendor,
        messages: user([
          { type: "text", text: "See:" },
          { type: "image_url", image_url: { url } },
        ]),
      });
      expect(status, vendor).toBe(200);
      // Told to the vendor as an address, or named as lost.
      expect(received().body.includes(url) || dropped.length > 0, vendor).toBe(true);
    }
    inside.closeAllConnections();
    await new Promise<void>((done) => inside.close(() => done()));
    expect(fetched).toBe(0);
  });

  it("spoken answers pass from a vendor of the client's dialect, whole", async () => {
    const message = {
      role: "assistant",
      content: null,
      audio: { id: "audio_1", data: wav, transcript: "Hi.", expires_at: 1 },
    };
    matrix.vendor.play({
      text: "",
      usage: { input: 5, output: 2, audioOutput: 30 },
      extra: { choices: [{ index: 0, message, finish_reason: "stop" }] },
    });
    const asked = { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } };
    const { text } = await chat({ model: "openai-chat", messages: user("Say hi."), ...asked });
    expect((JSON.parse(text) as { choices: unknown[] }).choices).toEqual([
      { index: 0, message, finish_reason: "stop" },
    ]);
  });
});

describe("case 24: several answers, log probabilities", () => {
  it.each(["openai-chat", "gemini"] as const)("%s: two answers, whole and interleaved in a stream", async (vendor) => {
    for (const stream of [false, true]) {
      matrix.vendor.play({ text: "First answer.", others: ["Second answer."], usage: { input: 5, output: 6 } });
      const { text } = await chat({ model: vendor, messages: user("Twice."), n: 2, ...(stream && { stream }) });
      const said = ["", ""];
      const finishes: unknown[] = [];
      const records = stream ? text.split("\n\n").filter((line) => line.startsWith("data: {")) : [text];
      for (const record of records) {
        const { choices } = JSON.parse(record.replace(/^data: /, "")) as {
          choices: {
            index: number;
            delta?: { content?: string };
            message?: { content: string };
            finish_reason: unknown;
          }[];
        };
        for (const choice of choices) {
          said[choice.index] += choice.delta?.content ?? choice.message?.content ?? "";
          if (choice.finish_reason) finishes.push([choice.index, choice.finish_reason]);
        }
      }
      expect(said).toEqual(["First answer.", "Second answer."]);
      expect(finishes.sort()).toEqual([
        [0, "stop"],
        [1, "stop"],
      ]);
    }
    expect(received().body.toString()).toMatch(vendor === "gemini" ? /"candidateCount":2/ : /"n":2/);
  });

  it("log probabilities of a Gemini vendor are told in OpenAI's form", async () => {
    const chosen = { token: "Yes", logProbability: -0.25 };
    const logprobsResult = {
      chosenCandidates: [chosen],
      topCandidates: [{ candidates: [chosen, { token: "No", logProbability: -1.5 }] }],
    };
    const candidates = [{ content: { role: "model", parts: [{ text: "Yes" }] }, finishReason: "STOP", logprobsResult }];
    matrix.vendor.play({ usage: { input: 5, output: 1 }, extra: { candidates } });
    const { text } = await chat({ model: "gemini", messages: user("?"), logprobs: true, top_logprobs: 2 });
    const [choice] = (JSON.parse(text) as { choices: { logprobs: { content: unknown[] } }[] }).choices;
    expect(choice!.logprobs.content).toMatchObject([
      { token: "Yes", logprob: -0.25, top_logprobs: [{ token: "Yes" }, { token: "No", logprob: -1.5 }] },
    ]);
  });
});

describe("case 27: what nobody here knows", () => {
  const exotic =
    '"x_new": {"big":12345678901234567890123,"f":1.0,"none":null},\n  "temperature":0.10000000000000000555';

  it.each([
    ["/v1/chat/completions", "openai-chat", `"messages":[{"role":"user","content":"h\\u00e9"}]`, "gpt-vendor"],
    ["/v1/responses", "openai-responses", `"input":"h\\u00e9"`, "gpt-vendor"],
    [
      "/v1/messages",
      "anthropic-messages",
      `"max_tokens":9,"messages":[{"role":"user","content":"h\\u00e9"}]`,
      "claude-vendor",
    ],
  ])("%s: a vendor of the same dialect gets every byte but the model", async (path, useCase, rest, model) => {
    const body = `{ "model":"${useCase}", ${exotic}, ${rest} }`;
    expect((await send(path, body)).status).toBe(200);
    expect(received().body.toString()).toBe(body.replace(`"${useCase}"`, `"${model}"`));
  });

  it.each(vendorNames)("64-bit numbers in the arguments of calls reach %s digit for digit", async (vendor) => {
    const text = '{"id":12345678901234567890,"rate":1.10}';
    await chat({
      model: vendor,
      messages: [
        { role: "user", content: "?" },
        {
          role: "assistant",
          tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: text } }],
        },
        { role: "tool", tool_call_id: "call_1", content: "done" },
      ],
    });
    expect(received().body.toString()).toContain("12345678901234567890");
    expect(received().body.toString()).toContain("1.10");
  });

  const digits = '"input":{"id":12345678901234567890,"rate":1.10}';
  const block = (input: string) => `{"type":"tool_use","id":"call_1","name":"f",${input}}`;
  const answers: [VendorName, string][] = [
    [
      "anthropic-messages",
      `{"id":"m","type":"message","role":"assistant","model":"m","content":[${block(digits)}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
    ],
    [
      "gemini",
      `{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f",${digits.replace("input", "args")}}}]},"finishReason":"STOP"}]}`,
    ],
    [
      "bedrock-converse",
      `{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"call_1","name":"f",${digits}}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":1}}`,
    ],
  ];
  // A whole answer is still read as JavaScript reads numbers.
  it.each(answers)("and come from %s so, too", async (vendor, body) => {
    matrix.vendor.play({ lie: { contentType: "application/json", body } });
    const { text } = await chat({ model: vendor, messages: user("?") });
    const [choice] = (
      JSON.parse(text) as { choices: { message: { tool_calls: { function: { arguments: string } }[] } }[] }
    ).choices;
    expect(choice!.message.tool_calls[0]!.function.arguments).toContain("12345678901234567890");
    expect(choice!.message.tool_calls[0]!.function.arguments).toMatch(/"rate":1\.10?\b/);
  });

  it("betas that a vendor doesn't know stay here, those that it knows go there", async () => {
    const body = { model: "anthropic-messages", max_tokens: 9, messages: user("?") };
    const betas = "context-1m-2025-08-07,never-heard-of-2031-01-01,interleaved-thinking-2025-05-14";
    await send("/v1/messages", body, { "anthropic-beta": betas });
    expect(received().headers["anthropic-beta"]).toBe("context-1m-2025-08-07,interleaved-thinking-2025-05-14");
    await send("/v1/messages", { ...body, model: "openai-chat" }, { "anthropic-beta": betas });
    expect(received(1).headers["anthropic-beta"]).toBeUndefined();
  });

  it.each<[VendorName, string]>([
    ["openai-chat", `${sse({ x: 1 })}: comment\n\nevent: x_new\ndata: {"y":2}\n\n`],
    ["anthropic-messages", namedSse("x_new", { y: 2 })],
  ])("events of %s that nobody knows don't break an answer", async (vendor, strange) => {
    const clean = vendor === "openai-chat";
    const known = clean
      ? [
          sse({ id: "c", choices: [{ index: 0, delta: { role: "assistant", content: "Yes." } }] }),
          `${sse({ id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}data: [DONE]\n\n`,
        ]
      : [
          namedSse("message_start", {
            message: {
              id: "m",
              type: "message",
              role: "assistant",
              model: "m",
              content: [],
              usage: { input_tokens: 1, output_tokens: 1 },
            },
          }) +
            namedSse("content_block_start", { index: 0, content_block: { type: "text", text: "Yes." } }) +
            namedSse("content_block_stop", { index: 0 }),
          namedSse("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }) +
            namedSse("message_stop", {}),
        ];
    matrix.vendor.play({ lie: { contentType: "text/event-stream", body: known.join(strange) } });
    const heard = await matrix.client(clean ? "anthropic-messages" : "openai-chat").stream({ useCase: vendor });
    expect([heard.text, heard.finish]).toEqual(["Yes.", "stop"]);
  });
});
