import { describe, expect, it } from "vitest";
import { aChatAsk } from "../../../tests/fixtures/decision.ts";
import type { ChatPart, ChatRequest } from "../../kernel/chat.ts";
import { boundsOf } from "./request-bounds.ts";

const asking = (parts: ChatPart[], over: Partial<ChatRequest> = {}): ChatRequest =>
  aChatAsk({ messages: [{ role: "user", parts }], ...over }).request;
const text = (cache?: "5m" | "1h"): ChatPart => ({ type: "text", text: "x", ...(cache && { cache }) });

describe("boundsOf", () => {
  it.each<[string, ChatRequest, string]>([
    ["no mark: nothing is written", asking([text()]), "none"],
    ["a mark", asking([text("5m")]), "5m"],
    ["the longest of several", asking([text("1h"), text("5m")]), "1h"],
    ["a mark on a tool", asking([text()], { tools: [{ name: "t", parameters: {}, cache: "1h" }] }), "1h"],
  ])("where prompts are kept on demand, %s", (_what, request, cacheWrite) =>
    expect(boundsOf(request, "anthropic-messages")).toEqual({ cacheWrite }),
  );

  it("elsewhere a vendor may keep any prompt", () =>
    expect(boundsOf(asking([text()]), "openai-chat")).toEqual({ cacheWrite: "5m" }));

  it("audio that goes in or shall come out, and the class that is asked for", () => {
    const audio: ChatPart = { type: "audio", format: "wav", data: "" };
    expect(boundsOf(asking([audio]), "openai-chat")).toMatchObject({ audio: true });
    const spoken = asking([text()], { audio: { voice: "v", format: "wav" }, service_class: "priority" });
    expect(boundsOf(spoken, "openai-chat")).toMatchObject({ audio: true, serviceClass: "priority" });
  });
});
