import { describe, expect, it } from "vitest";
import { eventsOf, openCollector } from "./chat-stream.ts";

describe("openCollector", () => {
  it("gives no answer before the end, nor after an error, but always what has come", () => {
    const collector = openCollector();
    collector.add({ type: "start", model: "m" });
    collector.add({ type: "text", text: "a" });
    collector.add({ type: "finish", finish: "stop" });
    expect(collector.response()).toBeUndefined();
    expect(collector.partial()).toEqual({ model: "m", parts: [{ type: "text", text: "a" }], finish: "stop" });
    collector.add({ type: "error", message: "gone" });
    collector.add({ type: "end" });
    expect(collector.response()).toBeUndefined();
  });

  it("keeps refusals, signed and opaque reasoning, and interleaved calls apart", () => {
    const collector = openCollector();
    const parts = [
      { type: "reasoning", text: "a", signature: "s" },
      { type: "reasoning", text: "b" },
      { type: "reasoning", text: "", encrypted: "x" },
      { type: "text", text: "c" },
      { type: "text", text: "d", refusal: true },
    ] as const;
    for (const part of parts) collector.add(part);
    collector.add({ type: "tool_call_start", index: 0, id: "0", name: "f" });
    collector.add({ type: "tool_call_start", index: 1, id: "1", name: "g" });
    collector.add({ type: "tool_call_delta", index: 1, arguments: "1" });
    collector.add({ type: "tool_call_delta", index: 0, arguments: "0" });
    expect(collector.partial().parts).toEqual([
      ...parts,
      { type: "tool_call", id: "0", name: "f", arguments: "0" },
      { type: "tool_call", id: "1", name: "g", arguments: "1" },
    ]);
  });

  it("collects what eventsOf tells, citations included", () => {
    const citations = [{ source: "a", title: "A", start: 0, end: 1, text: "x" }];
    const response = { model: "m", parts: [{ type: "text" as const, text: "x" }], finish: "stop" as const, citations };
    const collector = openCollector();
    for (const event of eventsOf(response)) collector.add(event);
    expect(collector.response()).toEqual(response);
  });
});
