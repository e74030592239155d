/** Hard cases 5, 6 and 7 over real HTTP: tool calls as vendors really stream them, to the official clients' stream helpers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { namedSse, sse } from "../../fixtures/scripted-play.ts";
import { type MatrixHouse, clientNames, startMatrixHouse } from "./matrix-house.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => matrix.vendor.reset());

const lie = (body: string) => matrix.vendor.play({ lie: { contentType: "text/event-stream", body } });

const chunk = (delta: object, finish: string | null = null) =>
  sse({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
const opened = (index: number, id: string, name: string, text = "") =>
  piece(index, { id, type: "function", function: { name, arguments: text } });
const argued = (index: number, text: string) => piece(index, { function: { arguments: text } });
const usage = sse({
  id: "c",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 },
});
const ended = `${chunk({}, "tool_calls")}${usage}data: [DONE]\n\n`;

const text = '{"city":"Zürich 🏦","months":12}';
const parsed = JSON.parse(text) as unknown;

describe.each(clientNames)("case 5: tool call deltas, to %s", (name) => {
  it.each<[string, string, unknown]>([
    ["name and arguments in one chunk", opened(0, "call_1", "f", text), parsed],
    [
      "one character at a time, the id and the name on the first piece only",
      opened(0, "call_1", "f") + [...text].map((letter) => argued(0, letter)).join(""),
      parsed,
    ],
    ["no arguments at all", opened(0, "call_1", "f"), {}],
    [
      "an id that comes again empty, and a name that comes again null",
      opened(0, "call_1", "f", '{"a":') + piece(0, { id: "", function: { name: null, arguments: "1}" } }),
      { a: 1 },
    ],
  ])("%s", async (_name, deltas, expected) => {
    lie(chunk({ role: "assistant", content: null }) + deltas + ended);
    const heard = await matrix.client(name).stream({ useCase: "openai-chat", tools: true });
    expect(heard.calls).toEqual([{ id: "call_1", name: "f", arguments: expected }]);
    expect(heard).toMatchObject({ finish: "tool_calls", usage: { input: 5, output: 4 } });
  });
});

const interleaved = [
  chunk({ role: "assistant", content: "Let me " }),
  chunk({ content: "look." }),
  opened(0, "call_a", "f"),
  opened(1, "call_b", "g"),
  argued(1, '{"b":'),
  argued(0, '{"a":'),
  opened(2, "call_c", "f"),
  argued(0, "1}"),
  argued(2, '{"c":3}'),
  argued(1, "2}"),
  ended,
].join("");

describe("case 6: three parallel calls, interleaved, after a text", () => {
  it.each(clientNames)("come to %s with their own ids and arguments", async (name) => {
    lie(interleaved);
    const heard = await matrix.client(name).stream({ useCase: "openai-chat", tools: true });
    expect(heard.text).toBe("Let me look.");
    expect(heard.calls).toEqual([
      { id: "call_a", name: "f", arguments: { a: 1 } },
      { id: "call_b", name: "g", arguments: { b: 2 } },
      { id: "call_c", name: "f", arguments: { c: 3 } },
    ]);
  });

  it("are Anthropic's blocks from 0 on, each whole before the next begins", async () => {
    lie(interleaved);
    const response = await matrix.house.post(
      "/v1/messages",
      { model: "openai-chat", max_tokens: 100, stream: true, messages: [{ role: "user", content: "?" }] },
      { "x-api-key": matrix.key },
    );
    const steps = [...(await response.text()).matchAll(/"type":"content_block_(start|stop)","index":(\d+)/g)];
    expect(steps.map(([, step, index]) => `${step} ${index}`)).toEqual(
      [0, 1, 2, 3].flatMap((index) => [`start ${index}`, `stop ${index}`]),
    );
  });

  it("are numbered from 0 for OpenAI's clients, whatever stood before them at an Anthropic vendor", async () => {
    matrix.vendor.play({
      reasoning: "Hm.",
      text: "Let me look.",
      calls: [
        { id: "call_a", name: "f", arguments: "{}" },
        { id: "call_b", name: "f", arguments: "{}" },
      ],
      usage: { input: 1, output: 1 },
    });
    const response = await matrix.house.post(
      "/v1/chat/completions",
      { model: "anthropic-messages", stream: true, messages: [{ role: "user", content: "?" }] },
      { authorization: `Bearer ${matrix.key}` },
    );
    const starts = [...(await response.text()).matchAll(/"tool_calls":\[\{"index":(\d+),"id":"(\w+)"/g)];
    expect(starts.map(([, index, id]) => [index, id])).toEqual([
      ["0", "call_a"],
      ["1", "call_b"],
    ]);
  });
});

const item = (more: object) => ({ id: "fc_1", type: "function_call", call_id: "call_1", name: "f", ...more });
const answer = (output: object[]) => ({
  id: "resp_v",
  object: "response",
  created_at: 1,
  model: "m",
  status: "completed",
  error: null,
  incomplete_details: null,
  output,
  usage: {
    input_tokens: 5,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 4,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 9,
  },
});
const begun = namedSse("response.created", { response: { ...answer([]), status: "in_progress" }, sequence_number: 0 });
const whole = item({ arguments: text, status: "completed" });
const added = namedSse("response.output_item.added", {
  output_index: 0,
  item: item({ arguments: "", status: "in_progress" }),
});
const argumentsDone = namedSse("response.function_call_arguments.done", {
  output_index: 0,
  item_id: "fc_1",
  arguments: text,
});
const itemDone = namedSse("response.output_item.done", { output_index: 0, item: whole });
const completed = namedSse("response.completed", { response: answer([whole]) });
const unknown = namedSse("response.dreamt_of.delta", { output_index: 0, delta: "x", dream: { deep: 1.5 } });

describe("case 7: a Responses vendor that says it only when it is done", () => {
  const streams: [string, string][] = [
    ["arguments.done alone", begun + added + argumentsDone + itemDone + completed],
    ["the finished item alone", begun + added + itemDone + completed],
    ["the finished answer alone", begun + completed],
    ["events that nobody knows in between", begun + unknown + added + unknown + argumentsDone + unknown + completed],
  ];
  it.each(
    streams.flatMap(([title, body]) =>
      (["openai-chat", "anthropic-messages"] as const).map((c) => [c, title, body] as const),
    ),
  )("%s gets the call from %s", async (name, _title, body) => {
    lie(body);
    const heard = await matrix.client(name).stream({ useCase: "openai-responses", tools: true });
    expect(heard.calls).toEqual([{ id: "call_1", name: "f", arguments: parsed }]);
    expect(heard).toMatchObject({ finish: "tool_calls", usage: { input: 5, output: 4 } });
  });

  it.each(streams)("%s: a client of its own dialect gets it byte for byte", async (_title, body) => {
    lie(body);
    const response = await matrix.house.post(
      "/v1/responses",
      { model: "openai-responses", input: "?", stream: true },
      { authorization: `Bearer ${matrix.key}` },
    );
    expect(await response.text()).toBe(body);
  });
});
