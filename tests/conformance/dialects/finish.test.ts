/** Hard case 8 over real HTTP: why an answer ended, from each vendor's words to each client's. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Heard } from "./client.ts";
import { type ClientName, type MatrixHouse, clientNames, startMatrixHouse } from "./matrix-house.ts";
import { type VendorName, vendorCases, vendorNames } from "./vendors.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => matrix.vendor.reset());

const ways = ["create", "stream"] as const;
const each = <T>(vendors: readonly VendorName[], also: (client: ClientName, vendor: VendorName) => T) =>
  clientNames.flatMap((client) =>
    vendors.flatMap((vendor) => ways.map((way) => [client, vendor, way, also(client, vendor)] as const)),
  );

describe("case 8: a stop sequence", () => {
  // Of the vendors, these say which one it was; of the clients, Anthropic's are told.
  const telling = ["anthropic-messages", "bedrock-converse"] as const;
  it.each(each(telling, (client) => (client === "anthropic-messages" ? "END" : undefined)))(
    "%s over %s, %s: an end like any other, and named where the client has a place for it",
    async (client, vendor, way, named) => {
      const { usage } = vendorCases[vendor];
      matrix.vendor.play({ text: "Until", finish: "stop_sequence", stopSequence: "END", usage });
      const heard = await matrix.client(client)[way]({ useCase: vendor });
      expect([heard.finish, heard.stopSequence]).toEqual(["stop", named]);
    },
  );
});

describe("case 8: a turn that its vendor paused", () => {
  // OpenAI has no word for it: what isn't whole is told as cut.
  const told: Record<ClientName, Heard["finish"]> = {
    "openai-chat": "length",
    "openai-responses": "length",
    "anthropic-messages": "pause",
  };
  it.each(each(["anthropic-messages"], (client) => told[client]))(
    "%s over %s, %s: never a whole answer",
    async (client, vendor, way, finish) => {
      matrix.vendor.play({ text: "So far", finish: "pause", usage: vendorCases[vendor].usage });
      expect((await matrix.client(client)[way]({ useCase: vendor })).finish).toBe(finish);
    },
  );
});

describe("case 8: a refusal in words", () => {
  // OpenAI's vendors refuse in a field of its own, which its clients get back as such.
  const vendors = ["openai-chat", "openai-responses"] as const;
  // Its chat's own vendors call that a stop; where it is translated, a filter.
  const told = (client: ClientName, vendor: VendorName): Heard["finish"] => {
    const translated = client === "openai-chat" && vendor !== "openai-chat";
    return client === "anthropic-messages" || translated ? "content_filter" : "stop";
  };
  it.each(each(vendors, told))(
    "%s over %s, %s: the words arrive, as a refusal",
    async (client, vendor, way, finish) => {
      matrix.vendor.play({ text: "I can't help with that.", finish: "refusal", usage: vendorCases[vendor].usage });
      const heard = await matrix.client(client)[way]({ useCase: vendor });
      expect([heard.text, heard.finish]).toEqual(["I can't help with that.", finish]);
    },
  );
});

describe("case 8: a finish that nobody knows", () => {
  it.each(vendorNames.map((vendor) => [vendor]))("over %s is an end, and no failure", async (vendor) => {
    const { usage } = vendorCases[vendor];
    const extra = {
      "openai-chat": {
        choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "bored" }],
      },
      "openai-responses": { status: "completed", incomplete_details: { reason: "bored" } },
      "anthropic-messages": { stop_reason: "bored" },
      gemini: { candidates: [{ content: { role: "model", parts: [{ text: "Yes." }] }, finishReason: "BORED" }] },
      "bedrock-converse": { stopReason: "bored" },
      cohere: { finish_reason: "BORED" },
    }[vendor];
    matrix.vendor.play({ text: "Yes.", usage, extra });
    // A client of another dialect, so that its vendor's words are translated.
    const client = vendor === "anthropic-messages" ? "openai-chat" : "anthropic-messages";
    const heard = await matrix.client(client).create({ useCase: vendor });
    expect([heard.text, heard.finish]).toEqual(["Yes.", "stop"]);
  });
});
