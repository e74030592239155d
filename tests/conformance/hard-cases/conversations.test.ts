/** Hard case 30: a conversation that a vendor keeps (`previous_response_id`) goes to its owner unchanged, or is refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import type { TimedHouse } from "../../faults/vendor-house.ts";
import { openaiOf, startHardHouse } from "./hard-house.ts";
import { type RawScript, type RawVendor, startRawVendor } from "./raw-vendor.ts";

const useCases = `
owned: { kind: chat, ladder: [re-main], retries: 0, cache: { exact: 10m } }
mixed: { kind: chat, ladder: [oa-main, an-main, re-main], retries: 0 }
elsewhere: { kind: chat, ladder: [oa-main, an-main, ge-main], retries: 0 }
`;
let vendor: RawVendor;
let house: TimedHouse;
beforeAll(async () => {
  vendor = await startRawVendor();
  house = await startHardHouse(new VirtualClock(), vendor.origin, useCases);
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const response = (id: string, text: string) => ({
  id,
  object: "response",
  created_at: 1,
  status: "completed",
  model: "gpt-vendor",
  output: [
    {
      type: "message",
      id: `msg_${id}`,
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text, annotations: [] }],
    },
  ],
  usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
});
const answers =
  (id: string, text: string): RawScript =>
  ({ socket }) => {
    const body = JSON.stringify(response(id, text));
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  };

describe("case 30: previous_response_id", () => {
  it("goes to the vendor that keeps the conversation, under the id that the vendor gave", async () => {
    const client = openaiOf(house);
    vendor.play(answers("resp_1", "One."), answers("resp_2", "Two."));
    const first = await client.responses.create({ model: "owned", input: "Begin." });
    const second = await client.responses.create({ model: "owned", input: "Go on.", previous_response_id: first.id });
    expect([first.output_text, second.output_text]).toEqual(["One.", "Two."]);
    expect(vendor.calls.map(({ path, json }) => [path, json["previous_response_id"]])).toEqual([
      ["/v1/responses", undefined],
      ["/v1/responses", "resp_1"],
    ]);
  });

  it("passes over the rungs that can't know it", async () => {
    vendor.play(answers("resp_2", "Two."));
    const { data, response: http } = await openaiOf(house)
      .responses.create({ model: "mixed", input: "Go on.", previous_response_id: "resp_1" })
      .withResponse();
    expect([data.output_text, http.headers.get("x-weir-model")]).toEqual(["Two.", "re-main"]);
    expect(vendor.calls.map(({ path }) => path)).toEqual(["/v1/responses"]);
  });

  it("is refused where nobody can know it, before any call", async () => {
    await expect(
      openaiOf(house).responses.create({ model: "elsewhere", input: "Go on.", previous_response_id: "resp_1" }),
    ).rejects.toMatchObject({ code: "unsupported_feature", param: "previous_response_id" });
    expect(vendor.calls).toEqual([]);
  });

  it("the same words after another answer are another question", async () => {
    const client = openaiOf(house);
    vendor.play(answers("resp_a", "After three."), answers("resp_b", "After four."));
    const ask = async (id: string) =>
      (await client.responses.create({ model: "owned", input: "And then?", previous_response_id: id })).output_text;
    expect([await ask("resp_3"), await ask("resp_4")]).toEqual(["After three.", "After four."]);
    expect(vendor.calls).toHaveLength(2);
  });
});
