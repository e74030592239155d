import { describe, expect, it } from "vitest";
import type { ChatPart, ChatResponse } from "../../../kernel/chat.ts";
import { eventsOf } from "../../../kernel/chat-stream.ts";
import { openaiResponsesClient, openaiResponsesVendor } from "./index.ts";
import { answerId, asked, collect, eventsOnWire, read, wholeAnswer, written } from "./sample-wire.ts";

describe("what a client is told", () => {
  const typesIn = (wire: string) => eventsOnWire(wire).map((event) => event["type"]);

  it("comes in the API's own order", () => {
    const response: ChatResponse = {
      model: "m",
      parts: [
        { type: "reasoning", text: "Hm.", signature: "sig" },
        { type: "text", text: "No.", refusal: true },
        { type: "text", text: "Well." },
        { type: "tool_call", id: "call_1", name: "rate", arguments: "{}" },
      ],
      finish: "tool_calls",
    };
    expect(typesIn(written(eventsOf(response)))).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.refusal.delta",
      "response.refusal.done",
      "response.content_part.done",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  it("a call that takes another's number closes it first: every item that was opened is in the answer", () => {
    const wire = written([
      { type: "tool_call_start", index: 0, id: "call_1", name: "rate" },
      { type: "tool_call_delta", index: 0, arguments: "{}" },
      { type: "tool_call_start", index: 0, id: "call_2", name: "time" },
      { type: "finish", finish: "tool_calls" },
      { type: "end" },
    ]);
    expect(eventsOnWire(wire).at(-1)).toMatchObject({
      response: { output: [{ call_id: "call_1", arguments: "{}", status: "completed" }, { call_id: "call_2" }] },
    });
  });

  it("citations are annotations of the text, which hold where it is streamed too", () => {
    const citation = { source: "rates.md", title: "Rates", start: 0, end: 5, text: "1.5 %" };
    const response: ChatResponse = {
      model: "m",
      parts: [{ type: "text", text: "It is 1.5 %." }],
      finish: "stop",
      citations: [citation],
    };
    const annotations = [{ type: "url_citation", url: "rates.md", title: "Rates", start_index: 6, end_index: 11 }];
    expect(wholeAnswer(response)).toMatchObject({
      output: [{ content: [{ annotations }] }],
    });
    const events = eventsOnWire(written(eventsOf(response)));
    expect(events).toContainEqual(
      expect.objectContaining({ type: "response.output_text.annotation.added", annotation_index: 0 }),
    );
    expect(events.at(-1)).toMatchObject({ response: { output: [{ content: [{ annotations }] }] } });
  });

  it("log probabilities stand at the text, with bytes", () => {
    const logprobs = [{ token: "Hé", logprob: -0.5, top: [{ token: "Ho", logprob: -2 }] }];
    const response: ChatResponse = { model: "m", parts: [{ type: "text", text: "Hé" }], finish: "stop", logprobs };
    const wire = [
      {
        token: "Hé",
        logprob: -0.5,
        bytes: [72, 195, 169],
        top_logprobs: [{ token: "Ho", logprob: -2, bytes: [72, 111] }],
      },
    ];
    const streamed = written(eventsOf(response));
    expect(eventsOnWire(streamed).at(-1)).toMatchObject({ response: { output: [{ content: [{ logprobs: wire }] }] } });
    expect(collect(read(streamed))?.logprobs).toMatchObject(logprobs);
  });

  it("what it may hand back unread, and what no one else can read", () => {
    const sealOf = (part: ChatPart) => {
      const body = wholeAnswer({ model: "m", parts: [part], finish: "stop" });
      const input = (body["output"] as unknown[])[0];
      const decoded = openaiResponsesClient.decodeRequest({ model: "m", input: [input] });
      return decoded.ok && decoded.request.messages[0]!.parts[0];
    };
    for (const part of [
      { type: "reasoning", text: "Hm.", signature: "anthropic's" },
      { type: "reasoning", text: "", encrypted: "anthropic's" },
      { type: "reasoning", text: "Hm.", encrypted: "gAAA", id: "rs_9" },
      { type: "tool_call", id: "call_1", name: "rate", arguments: "{}", signature: "gemini's" },
    ] as const) {
      expect(sealOf(part)).toEqual(part);
    }
  });

  it("a failure, before and after the first word; the end, once", () => {
    const failure = { code: "stream_broken", message: "The vendor went away.", status: 502 };
    const stream = openaiResponsesClient.openStream(answerId, asked);
    expect(typesIn(stream.fail(failure))).toEqual(["error"]);
    expect(stream.encode({ type: "end" })).toBe("");
    const later = openaiResponsesClient.openStream(answerId, asked);
    const wire = later.encode({ type: "text", text: "Hel" }) + later.fail(failure);
    expect(typesIn(wire).slice(-2)).toEqual(["response.failed", "error"]);
    expect(read(wire).at(-1)).toEqual({ type: "error", message: "The vendor went away.", code: "server_error" });
    const ended = openaiResponsesClient.openStream(answerId, asked);
    ended.encode({ type: "end" });
    expect([ended.encode({ type: "text", text: "x" }), ended.fail(failure)]).toEqual(["", ""]);
    expect(written([{ type: "text", text: "second", choice: 1 }])).toBe("");
  });

  it.each([
    [{ status: "failed", error: { message: "Boom." }, output: [] }, "Boom."],
    [{ status: "in_progress", output: [] }, "in_progress"],
    [{ status: "completed" }, "no output"],
    ["text", "not a JSON object"],
  ])("%j is no answer", (body, message) => {
    const decoded = openaiResponsesVendor.decodeResponse(body);
    expect(decoded.ok ? "" : decoded.message).toContain(message);
  });
});
