import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aChatRequest, userSays } from "../../../tests/fixtures/decision.ts";
import type { ChatPart } from "../../kernel/chat.ts";
import { estimateRequestTokens, estimateTokens } from "./token-estimate.ts";

const withPart = (part: ChatPart) =>
  estimateRequestTokens(aChatRequest({ messages: [{ role: "user", parts: [part] }] }));

describe("token estimates", () => {
  it.each([
    ["", 0],
    ["a", 1],
    ["abc", 1],
    ["abcd", 2],
    ["ä", 1],
    ["😀😀", 3],
  ])("%j: %s", (text, tokens) => expect(estimateTokens(text)).toBe(tokens));

  const parts: [ChatPart, number][] = [
    [{ type: "text", text: "abcdef" }, 6],
    [{ type: "reasoning", text: "abcdef" }, 6],
    [{ type: "tool_result", id: "c", text: "abcdef" }, 6],
    [{ type: "tool_call", id: "c", name: "abc", arguments: "{}{" }, 10],
    [{ type: "image", data: "A".repeat(10_000) }, 1604],
  ];
  it.each(parts)("a message of $type", (part, tokens) => expect(withPart(part)).toBe(tokens));

  it("counts tools with their schemas", () => {
    const tool = { name: "look_up", description: "finds", parameters: { type: "object" } };
    const bare = aChatRequest();
    const rest = estimateRequestTokens({ ...bare, tools: [tool] }) - estimateRequestTokens(bare);
    expect(rest).toBe(estimateTokens(`look_upfinds{"type":"object"}`));
    expect(estimateRequestTokens({ ...bare, tools: [{ name: "abc", parameters: undefined }] })).toBeGreaterThan(
      estimateRequestTokens(bare),
    );
  });

  it("law: more text is never fewer tokens, and splitting a message never saves any", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const one = estimateRequestTokens(aChatRequest({ messages: [userSays(a + b)] }));
        const two = estimateRequestTokens(aChatRequest({ messages: [userSays(a), userSays(b)] }));
        expect(two).toBeGreaterThanOrEqual(one);
        expect(estimateTokens(a + b)).toBeGreaterThanOrEqual(estimateTokens(a));
      }),
    );
  });
});
