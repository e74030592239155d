/**
 * Hard case 29 and A8: what a guard looks for never reaches a client, wherever in a stream it stands and however it is cut,
 * on every surface; and the record says what had been delivered before.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, recordOf } from "../../faults/vendor-house.ts";
import { after, before, card, heardIn, postTo, records, says, surfaces, wholeAnswer } from "./guard-wire.ts";
import { nothingLeft, startHardHouse } from "./hard-house.ts";
import { type RawVendor, httpChunk, inPieces, startRawVendor, streamHead } from "./raw-vendor.ts";

const useCases = `
blocks-oa: { kind: chat, check: [cards], ladder: [{ model: oa-main, commit: first-byte }, ob-main], retries: 0 }
blocks-an: { kind: chat, check: [cards], ladder: [{ model: an-main, commit: first-byte }, ob-main], retries: 0 }
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

const post = (path: string, model: string, more?: object) => postTo(house, path, model, more);

const places = { oa: ["text", "arguments", "reasoning", "refusal"], an: ["text", "arguments", "reasoning"] } as const;
const table = Object.keys(surfaces).flatMap((path) =>
  (["oa", "an"] as const).flatMap((over) => places[over].map((where) => ({ path, over, where }))),
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
    const response = await post("/v1/chat/completions", "blocks-oa", { stream: false });
    const body = await response.text();
    expect([response.status, response.headers.get("x-weir-model")]).toEqual([200, "ob-main"]);
    expect(body).toContain("Nothing to see.");
    expect(body).not.toContain("4111");
  });
});
