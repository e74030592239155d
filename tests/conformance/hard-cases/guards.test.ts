/**
 * Hard case 29 and A8: what a guard looks for never reaches a client, wherever in a stream it stands and however it is cut,
 * on every surface; and the record says what had been delivered before.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, recordOf } from "../../faults/vendor-house.ts";
import { nothingLeft, startHardHouse } from "./hard-house.ts";
import { type RawVendor, httpChunk, inPieces, startRawVendor, streamHead } from "./raw-vendor.ts";
import { wires } from "./wire.ts";

const useCases = `
blocks-oa: { kind: chat, check: [cards], ladder: [oa-main, ob-main], retries: 0 }
blocks-an: { kind: chat, check: [cards], ladder: [an-main, ob-main], retries: 0 }
screens-oa: { kind: chat, screen: [cards], ladder: [oa-main], retries: 0 }
screens-an: { kind: chat, screen: [cards], ladder: [an-main], retries: 0 }
redacts-oa: { kind: chat, check: [personal], ladder: [oa-main], retries: 0 }
redacts-an: { kind: chat, check: [personal], ladder: [an-main], retries: 0 }
`;
const guards = `guards:
  cards: { detect: [card], action: block }
  personal: { detect: [card], action: redact }`;

let vendor: RawVendor;
let house: TimedHouse;
beforeAll(async () => {
  vendor = await startRawVendor();
  house = await startHardHouse(new VirtualClock(), vendor.origin, useCases, guards);
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const card = "4111 1111 1111 1111";
const before = "You asked for it: ";
const after = ", valid for three years.";
const tool = { name: "pay", parameters: { type: "object", properties: {} } };
const question = [{ role: "user", content: "Which card?" }];
const surfaces: Record<string, object> = {
  "/v1/chat/completions": { messages: question, tools: [{ type: "function", function: tool }] },
  "/v1/responses": { input: "Which card?", tools: [{ type: "function", ...tool }] },
  "/v1/messages": {
    messages: question,
    max_tokens: 2000,
    thinking: { type: "enabled", budget_tokens: 1024 },
    tools: [{ name: "pay", input_schema: tool.parameters }],
  },
};
const post = (path: string, model: string, stream = true) =>
  fetch(house.origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${house.key}` },
    body: JSON.stringify({ model, ...surfaces[path], stream }),
  });

type Where = "text" | "arguments" | "reasoning";
const openaiChunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const anthropicEvent = (type: string, value: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;

/** The vendor's records: these pieces of text, of a call's arguments, or of its reasoning. */
function records(over: string, where: Where, pieces: readonly string[]): string[] {
  if (over === "oa") {
    const start = { index: 0, id: "call_1", type: "function", function: { name: "pay", arguments: "" } };
    const piece = (text: string) =>
      openaiChunk(
        where === "text"
          ? { content: text }
          : where === "reasoning"
            ? { reasoning_content: text }
            : { tool_calls: [{ index: 0, function: { arguments: text } }] },
      );
    return [
      openaiChunk({ role: "assistant", content: "" }),
      ...(where === "arguments" ? [openaiChunk({ tool_calls: [start] })] : []),
      ...pieces.map(piece),
      ...(where === "reasoning" ? [openaiChunk({ content: "Well." })] : []),
      openaiChunk({}, where === "arguments" ? "tool_calls" : "stop"),
      "data: [DONE]\n\n",
    ];
  }
  const block = {
    text: { type: "text", text: "" },
    arguments: { type: "tool_use", id: "call_1", name: "pay", input: {} },
    reasoning: { type: "thinking", thinking: "", signature: "" },
  }[where];
  const delta = (text: string) =>
    where === "text"
      ? { type: "text_delta", text }
      : where === "reasoning"
        ? { type: "thinking_delta", thinking: text }
        : { type: "input_json_delta", partial_json: text };
  const { opening } = wires["an-main"];
  const ends = (n: number) => anthropicEvent("content_block_stop", { index: n });
  return [
    opening.slice(0, opening.indexOf("event: content_block_start")),
    anthropicEvent("content_block_start", { index: 0, content_block: block }),
    ...pieces.map((text) => anthropicEvent("content_block_delta", { index: 0, delta: delta(text) })),
    ends(0),
    ...(where === "reasoning"
      ? [
          anthropicEvent("content_block_start", { index: 1, content_block: { type: "text", text: "" } }),
          anthropicEvent("content_block_delta", { index: 1, delta: { type: "text_delta", text: "Well." } }),
          ends(1),
        ]
      : []),
    anthropicEvent("message_delta", {
      delta: { stop_reason: where === "arguments" ? "tool_use" : "end_turn" },
      usage: { output_tokens: 9 },
    }),
    anthropicEvent("message_stop", {}),
  ];
}

/** All words that a client heard, whichever event carries them; escapes undone. */
const heardIn = (body: string): string =>
  [...body.matchAll(/"(?:content|reasoning_content|arguments|partial_json|text|thinking|delta)":("(?:[^"\\]|\\.)*")/g)]
    .map(([, text]) => JSON.parse(text!) as string)
    .join("");

const says = {
  text: [before, after],
  reasoning: [before, after],
  arguments: ['{"note":"asked","card":"', '"}'],
} as const;
const wholeAnswer = (text: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const table = Object.keys(surfaces).flatMap((path) =>
  ["oa", "an"].flatMap((over) => (["text", "arguments", "reasoning"] as const).map((where) => ({ path, over, where }))),
);

describe("case 29 and A8: a card in a stream", () => {
  it.each(table)(
    "$path over $over, in its $where, cut anywhere: blocked before a digit has left",
    async ({ path, over, where }) => {
      const [head, tail] = says[where];
      const whole = head + card + tail;
      const cuts = Array.from({ length: card.length + 1 }, (_, at) => [
        whole.slice(0, head.length + at),
        whole.slice(head.length + at),
      ]);
      let decision: string | null = null;
      for (const pieces of [[whole], Array.from(whole), ...cuts]) {
        vendor.reset();
        vendor.play(inPieces(records(over, where, pieces)));
        const response = await post(path, `blocks-${over}`);
        const body = await response.text();
        expect(body).toContain("output_blocked");
        expect(body).not.toMatch(/4111|\[DONE\]|message_stop|response\.completed/);
        expect(heardIn(body)).not.toMatch(/4/);
        // It had begun to leave: no other rung may follow.
        expect(vendor.calls).toHaveLength(1);
        decision = response.headers.get("x-weir-decision-id");
      }
      const record = await recordOf(house, decision);
      expect(record.settled).toMatchObject([
        {
          code: "output_blocked",
          delivered: { complete: false },
          guards: [{ guard: "cards", on: "output", verdict: "deny", action: "block", findings: { card: 1 } }],
        },
      ]);
      expect(record.attempts[0]!.usage.output).toBeGreaterThan(0);
      expect(JSON.stringify(record)).not.toContain("4111");
      await nothingLeft(house);
    },
  );

  it.each(table)(
    "$path over $over, in its $where, cut anywhere: redacted, and all else is there",
    async ({ path, over, where }) => {
      const [head, tail] = says[where];
      const whole = head + card + tail;
      let decision: string | null = null;
      for (const pieces of [
        [whole],
        Array.from(whole),
        [whole.slice(0, head.length + 9), whole.slice(head.length + 9)],
      ]) {
        vendor.reset();
        vendor.play(inPieces(records(over, where, pieces)));
        const response = await post(path, `redacts-${over}`);
        const body = await response.text();
        expect(body).not.toMatch(/4111|1111/);
        expect(heardIn(body).replaceAll("\\", "")).toContain(`${head}[card]${tail}`);
        decision = response.headers.get("x-weir-decision-id");
      }
      const { settled } = await recordOf(house, decision);
      expect(settled).toMatchObject([{ state: "answered", guards: [{ guard: "personal", action: "redact" }] }]);
      await nothingLeft(house);
    },
  );

  it.each(Object.keys(surfaces))(
    "%s: words that came long before have left before the card is written, and the record counts them",
    async (path) => {
      const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
      const first = "These words are free to go, however the answer may end, for nothing is found in them. ";
      vendor.play(async ({ socket }) => {
        const [opening, ...rest] = records("oa", "text", [first, before + card + after]);
        socket.write(Buffer.concat([Buffer.from(streamHead), httpChunk(opening! + rest.shift()!)]));
        await read;
        // The terminator never comes: what ends this stream is the guard.
        socket.write(httpChunk(rest[0]!));
      });
      const response = await post(path, "blocks-oa");
      const decoder = new TextDecoder();
      let body = "";
      for await (const chunk of response.body!) {
        body += decoder.decode(chunk as Uint8Array, { stream: true });
        if (heardIn(body).includes("These words are free to go")) hasRead();
      }
      await (
        await vendor.arrival(0)
      ).closed;
      expect(heardIn(body)).not.toContain("4");
      const { settled, attempts } = await recordOf(house, response.headers.get("x-weir-decision-id"));
      expect(settled).toMatchObject([{ code: "output_blocked", delivered: { complete: false } }]);
      expect(settled[0]!.delivered!.frames).toBeGreaterThan(0);
      expect(attempts).toMatchObject([{ status: "aborted", usage: { estimated: true } }]);
      await nothingLeft(house);
    },
  );

  /** Two blocks of text, the card's halves at the end of one and the beginning of the other. */
  const halves = ["The number is 4111 1111 ", "1111 1111, keep it."] as const;

  it.each(Object.keys(surfaces))(
    "%s: cut over two of Anthropic's blocks, which other clients read as one text",
    async (path) => {
      const block = (index: number, text: string) =>
        anthropicEvent("content_block_start", { index, content_block: { type: "text", text: "" } }) +
        anthropicEvent("content_block_delta", { index, delta: { type: "text_delta", text } }) +
        anthropicEvent("content_block_stop", { index });
      const [opening] = records("an", "text", []);
      const end =
        anthropicEvent("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } }) +
        anthropicEvent("message_stop", {});
      vendor.play(inPieces([opening! + block(0, halves[0]), block(1, halves[1]) + end]));
      const body = await (await post(path, "blocks-an")).text();
      expect(heardIn(body)).not.toContain("4111 1111 1111 1111");
    },
  );

  it.each(Object.keys(surfaces))("%s: the same in a whole answer", async (path) => {
    const message = JSON.stringify({
      id: "m",
      type: "message",
      role: "assistant",
      model: "m",
      content: halves.map((text) => ({ type: "text", text })),
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 7, output_tokens: 5 },
    });
    const other = JSON.stringify({
      id: "c",
      choices: [{ index: 0, message: { role: "assistant", content: "Nothing to see." }, finish_reason: "stop" }],
    });
    vendor.play(
      ({ socket }) => void socket.write(wholeAnswer(message)),
      ({ socket }) => void socket.write(wholeAnswer(other)),
    );
    const body = await (await post(path, "blocks-an", false)).text();
    expect(heardIn(body)).not.toContain("4111 1111 1111 1111");
  });

  it.each(Object.keys(surfaces))("%s: in the passage that a citation quotes, streaming", async (path) => {
    const citation = { type: "char_location", cited_text: `Card ${card}.`, document_index: 0, document_title: "D" };
    const [opening] = records("an", "text", []);
    vendor.play(
      inPieces([
        opening! +
          anthropicEvent("content_block_start", {
            index: 0,
            content_block: { type: "text", text: "", citations: [] },
          }) +
          anthropicEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text: "It is on file." } }) +
          anthropicEvent("content_block_delta", {
            index: 0,
            delta: { type: "citations_delta", citation: { ...citation, start_char_index: 0, end_char_index: 20 } },
          }) +
          anthropicEvent("content_block_stop", { index: 0 }) +
          anthropicEvent("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } }) +
          anthropicEvent("message_stop", {}),
      ]),
    );
    expect(await (await post(path, "blocks-an")).text()).not.toContain(card);
  });

  it.each(Object.keys(surfaces))("%s: in the passage that a citation quotes, whole", async (path) => {
    const citation = { type: "char_location", cited_text: `Card ${card}.`, document_index: 0, document_title: "D" };
    const message = JSON.stringify({
      id: "m",
      type: "message",
      role: "assistant",
      model: "m",
      content: [
        { type: "text", text: "It is on file.", citations: [{ ...citation, start_char_index: 0, end_char_index: 20 }] },
      ],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 7, output_tokens: 5 },
    });
    vendor.play(
      ({ socket }) => void socket.write(wholeAnswer(message)),
      ({ socket }) => void socket.write(wholeAnswer(message)),
    );
    expect(await (await post(path, "blocks-an", false)).text()).not.toContain(card);
  });

  it.each(["oa", "an"])(
    "over %s: a card that the caller wrote in two parts of one message doesn't reach the vendor",
    async (over) => {
      const content = halves.map((text) => ({ type: "text", text }));
      vendor.fallback(inPieces(records(over, "text", ["Noted."])));
      const response = await fetch(`${house.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${house.key}` },
        body: JSON.stringify({ model: `screens-${over}`, messages: [{ role: "user", content }], stream: true }),
      });
      expect([response.status, vendor.calls.length]).toEqual([400, 0]);
      await response.text();
    },
  );

  it("a whole answer with a card in its arguments takes the next rung instead", async () => {
    const answer = (content: string | null, calls?: object[]) =>
      wholeAnswer(
        JSON.stringify({
          id: "c",
          choices: [
            {
              index: 0,
              message: { role: "assistant", content, ...(calls && { tool_calls: calls }) },
              finish_reason: "stop",
            },
          ],
        }),
      );
    const call = { id: "c", type: "function", function: { name: "pay", arguments: JSON.stringify({ card }) } };
    vendor.play(
      ({ socket }) => void socket.write(answer(null, [call])),
      ({ socket }) => void socket.write(answer("Nothing to see.")),
    );
    const response = await fetch(`${house.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${house.key}` },
      body: JSON.stringify({ model: "blocks-oa", messages: question }),
    });
    const body = await response.text();
    expect([response.status, response.headers.get("x-weir-model")]).toEqual([200, "ob-main"]);
    expect(body).toContain("Nothing to see.");
    expect(body).not.toContain("4111");
  });
});
