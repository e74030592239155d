import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventsOf } from "../../../kernel/chat-stream.ts";
import { openaiResponsesVendor } from "./index.ts";
import { responseFor } from "./sample-answers.ts";
import { collect, eventsOnWire, read, wholeAnswer, written } from "./sample-wire.ts";

describe("laws", () => {
  it("reads back the whole answer that it wrote", () => {
    fc.assert(
      fc.property(responseFor, (response) => {
        const body = wholeAnswer(response);
        expect(openaiResponsesVendor.decodeResponse(body)).toEqual({ ok: true, response });
      }),
    );
  });

  it("reads back the stream that it wrote, however it is cut", () => {
    fc.assert(
      fc.property(responseFor, fc.integer({ min: 1, max: 90 }), (response, chunkBytes) => {
        expect(collect(read(written(eventsOf(response)), chunkBytes))).toEqual(response);
      }),
    );
  });

  it("a stream's last event holds the very answer that a whole one would have been", () => {
    fc.assert(
      fc.property(responseFor, (response) => {
        const last = eventsOnWire(written(eventsOf(response))).at(-1)!;
        const whole = wholeAnswer(response);
        expect(last["response"]).toEqual(whole);
        expect(last["type"]).toBe(`response.${whole["status"] as string}`);
      }),
    );
  });

  it("numbers its events from 0 without a gap, opens and closes every item once", () => {
    fc.assert(
      fc.property(responseFor, (response) => {
        const events = eventsOnWire(written(eventsOf(response)));
        expect(events.map((event) => event["sequence_number"])).toEqual([...events.keys()]);
        const of = (type: string) =>
          events.filter((event) => event["type"] === type).map((event) => event["output_index"]);
        const opened = of("response.output_item.added");
        expect(opened).toEqual([...opened.keys()]);
        expect(of("response.output_item.done").toSorted()).toEqual(opened.toSorted());
      }),
    );
  });

  it("a stream cut before its last event never ends well", () => {
    fc.assert(
      fc.property(responseFor, fc.double({ min: 0, max: 1, noNaN: true }), (response, share) => {
        const wire = written(eventsOf(response));
        const upTo = Math.floor((wire.trimEnd().length - 1) * share);
        expect(read(wire.slice(0, upTo)).map((event) => event.type)).not.toContain("end");
      }),
    );
  });

  it("no vendor's answer or event is too odd to be read", () => {
    const types = fc.constantFrom(
      "response.created",
      "response.output_item.added",
      "response.output_item.done",
      "response.output_text.delta",
      "response.output_text.done",
      "response.refusal.done",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.reasoning_summary_text.delta",
      "response.reasoning_text.done",
      "response.completed",
      "response.failed",
      "error",
    );
    const item = fc.record(
      {
        type: fc.constantFrom(
          "message",
          "reasoning",
          "function_call",
          "custom_tool_call",
          "image_generation_call",
          "x",
        ),
        content: fc.oneof(fc.jsonValue(), fc.array(fc.record({ type: fc.jsonValue(), text: fc.jsonValue() }))),
        summary: fc.jsonValue(),
        result: fc.jsonValue(),
        name: fc.jsonValue(),
        arguments: fc.jsonValue(),
        call_id: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    );
    const response = fc.record({
      output: fc.array(fc.oneof(item, fc.jsonValue())),
      usage: fc.jsonValue(),
      status: fc.jsonValue(),
    });
    const event = fc.record(
      {
        type: types,
        item: fc.oneof(item, fc.jsonValue()),
        response,
        delta: fc.jsonValue(),
        output_index: fc.jsonValue(),
        text: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    );
    fc.assert(
      fc.property(
        fc.oneof(response, fc.jsonValue()),
        fc.array(fc.oneof(event, fc.jsonValue()), { maxLength: 8 }),
        (body, events) => {
          openaiResponsesVendor.decodeResponse(body);
          const stream = openaiResponsesVendor.openStream();
          const said = events.flatMap((value) => stream.decode({ event: "", data: JSON.stringify(value) }));
          const end = said.findIndex((one) => one.type === "end" || one.type === "error");
          expect(end === -1 || end === said.length - 1).toBe(true);
          expect(() => written(said)).not.toThrow();
        },
      ),
      { numRuns: 200 },
    );
  });
});
