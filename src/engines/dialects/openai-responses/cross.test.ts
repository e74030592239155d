/** Between this dialect and the others, by the same table that the house uses: what a translation keeps, and names. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatPart, ChatResponse } from "../../../kernel/chat.ts";
import { eventsOf } from "../../../kernel/chat-stream.ts";
import { clientDialects, vendorDialects } from "../index.ts";
import { openSseDecoder } from "../sse.ts";
import { responseFor } from "./sample-answers.ts";
import { answerId, asked, collect, overTheWire } from "./sample-wire.ts";

const others = ["openai-chat", "anthropic-messages"] as const;
type Spoken = (typeof others)[number] | "openai-responses";

function through(dialect: Spoken, events: readonly ChatEvent[]): ChatEvent[] {
  const client = clientDialects[dialect].openStream(answerId, asked);
  const vendor = vendorDialects[dialect].openStream();
  const wire = events.map((event) => client.encode(event)).join("");
  return openSseDecoder()
    .push(Buffer.from(wire))
    .flatMap((sse) => vendor.decode(sse));
}

/** What every dialect keeps: words and calls, how it ended, what was counted. */
const kept = fc
  .record({ response: responseFor, input: fc.nat(99), output: fc.nat(99) })
  .map(({ response, input, output }): ChatResponse => {
    const parts = response.parts.filter(
      (part: ChatPart) =>
        (part.type === "text" && part.refusal !== true) ||
        (part.type === "tool_call" && part.custom !== true && part.signature === undefined),
    );
    const called = parts.some((part) => part.type === "tool_call");
    const finish = response.finish === "length" ? "length" : called ? "tool_calls" : "stop";
    return { model: response.model, parts, finish, usage: { input, cached_input: 0, output, estimated: false } };
  });
const withoutName = ({ vendor_id: _name, ...response }: ChatResponse): ChatResponse => response;

describe.each(others)("%s", (other) => {
  it("a stream of its vendor keeps its meaning for a client of this dialect", () => {
    fc.assert(
      fc.property(kept, (response) => {
        const translated = through("openai-responses", through(other, eventsOf(response)));
        expect(withoutName(collect(translated)!)).toEqual(response);
      }),
    );
  });

  it("a stream of this dialect's vendor keeps its meaning for its client", () => {
    fc.assert(
      fc.property(kept, (response) => {
        const translated = through(other, through("openai-responses", eventsOf(response)));
        expect(withoutName(collect(translated)!)).toEqual(response);
      }),
    );
  });

  it("its vendor is not told of an earlier answer or of items stored elsewhere: both are named", () => {
    const decoded = clientDialects["openai-responses"].decodeRequest({
      model: "m",
      previous_response_id: "resp_1",
      input: [
        { type: "item_reference", id: "msg_1" },
        { role: "user", content: "go on" },
      ],
    });
    if (!decoded.ok) throw new Error(decoded.message);
    const { dropped } = vendorDialects[other].encodeRequest(decoded.request, { model: "v", defaultMaxTokens: 1 });
    expect(dropped).toEqual(expect.arrayContaining(["previous_response_id", "openai-responses.item_reference"]));
  });

  it("a legacy completion is answered by its vendor", () => {
    const decoded = clientDialects["openai-completions"].decodeRequest({ model: "m", prompt: "Once", stop: "." });
    if (!decoded.ok) throw new Error(decoded.message);
    const { body } = vendorDialects[other].encodeRequest(decoded.request, { model: "v", defaultMaxTokens: 1 });
    expect(overTheWire(body)).toMatchObject({ messages: [{ role: "user" }] });
    expect(JSON.stringify(body)).toContain("Once");
  });
});
