/** Hard case 29 and A8 at the seams: a card that no single field shows whole, and fields beside the answer's own words. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import type { TimedHouse } from "../../faults/vendor-house.ts";
import { anthropicEvent, card, heardIn, postTo, records, surfaces, wholeAnswer } from "./guard-wire.ts";
import { startHardHouse } from "./hard-house.ts";
import { type RawVendor, inPieces, startRawVendor } from "./raw-vendor.ts";

const useCases = `
blocks-an: { kind: chat, check: [cards], ladder: [{ model: an-main, commit: first-byte }, ob-main], retries: 0 }
screens-oa: { kind: chat, screen: [cards], ladder: [oa-main], retries: 0 }
screens-an: { kind: chat, screen: [cards], ladder: [an-main], retries: 0 }
`;
const guards = `guards:
  cards: { detect: [card], action: block }`;

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

const post = (path: string, model: string, more?: object) => postTo(house, path, model, more);

describe("case 29 and A8: a card at a seam", () => {
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

  it.each(Object.keys(surfaces))("%s: cut over two blocks of a whole answer", async (path) => {
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
    const body = await (await post(path, "blocks-an", { stream: false })).text();
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
    expect(await (await post(path, "blocks-an", { stream: false })).text()).not.toContain(card);
  });

  it.each(["oa", "an"])(
    "over %s: a card that the caller wrote in two parts of one message doesn't reach the vendor",
    async (over) => {
      const content = halves.map((text) => ({ type: "text", text }));
      vendor.fallback(inPieces(records(over, "text", ["Noted."])));
      const messages = [{ role: "user", content }];
      const response = await post("/v1/chat/completions", `screens-${over}`, { messages });
      expect([response.status, vendor.calls.length]).toEqual([400, 0]);
      await response.text();
    },
  );
});
