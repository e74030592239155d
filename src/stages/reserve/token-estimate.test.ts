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
    ["😀😀", 8],
    ["Pay 250 EUR to Ada, please.", 10],
    ["é".repeat(30), 20],
    ["a".repeat(50_000), 16_667],
    [" ".repeat(20_000), 6667],
  ])("%j: %s", (text, tokens) => expect(estimateTokens(text)).toBe(tokens));

  const parts: [ChatPart, number][] = [
    [{ type: "text", text: "abcdef" }, 6],
    [{ type: "reasoning", text: "abcdef" }, 6],
    [{ type: "tool_result", id: "c", text: "abcdef" }, 6],
    [{ type: "tool_call", id: "c", name: "abc", arguments: "{}{" }, 12],
    [{ type: "image", data: "A".repeat(10_000) }, 1604],
    [{ type: "image", detail: "original", url: "https://example.org/a.png" }, 10_004],
    [{ type: "file", media_type: "application/pdf", data: "A".repeat(100_000) }, 4 + 3 * 4600],
    [{ type: "file", media_type: "application/pdf", data: "A" }, 4604],
    [{ type: "file", media_type: "text/plain", data: "a".repeat(300) }, 104],
    [{ type: "file", file_id: "f1" }, 4 + 5 * 4600],
    [{ type: "audio", format: "wav", data: "A".repeat(640_000) }, 964],
    [{ type: "audio", format: "mp3", data: "A".repeat(160_000) }, 964],
    [{ type: "audio", id: "a1", transcript: "abc" }, 4 + 1920 + 1],
    [{ type: "native", dialect: "gemini", kind: "executable_code", value: { a: "abc" } }, 11],
    [{ type: "reasoning", text: "", encrypted: "A".repeat(400) }, 104],
    [
      { type: "tool_result", id: "c", text: "abcdef", parts: [{ type: "text", text: "abcdef" }, { type: "image" }] },
      1606,
    ],
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

  // Counted with gpt-tokenizer 4.0.0, o200k_base; the texts are as hostile as bytes can be.
  const dense: [string, string, number][] = [
    ["base64", "9vQ2mZx0Lk3Jt7WbYc5RfH1sGd8PnUe4", 24],
    ["hex", "5f3a9c0e7b1d4286aa90ce13fd57b248", 19],
    ["single figures", "[1,2,3,4,5,6,7,8,9]", 19],
    ["hieroglyphs", "𓀀𓁐𓂀𓃒", 16],
    ["symbols", "}{)(*&^%$#@!~|<>?", 12],
  ];
  it.each(dense)("%s is not taken for words", (_what, text, counted) =>
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(0.85 * counted),
  );

  it("a text too long to scan is judged by windows spread over it", () => {
    const piece = "9vQ2mZx0Lk3Jt7WbYc5RfH1sGd8PnUe4";
    const whole = estimateTokens(piece.repeat(10_000));
    const spread = estimateTokens(piece.repeat(40_000)) / (4 * whole);
    expect(Math.abs(spread - 1)).toBeLessThan(0.01);
    const mixed = estimateTokens(piece.repeat(20_000) + "a".repeat(640_000));
    expect(Math.abs(mixed / (2 * whole + 640_000 / 3) - 1)).toBeLessThan(0.02);
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
