import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aChatAsk } from "../../../tests/fixtures/decision.ts";
import type { ChatMessage, ChatRequest } from "../../kernel/chat.ts";
import { estimateRequestTokens } from "./token-estimate.ts";
import { trimRequest } from "./trim.ts";

const says = (role: ChatMessage["role"], text: string, cache?: "5m"): ChatMessage => ({
  role,
  parts: [{ type: "text", text, ...(cache && { cache }) }],
});
const long = "word ".repeat(200);
const of = (...messages: ChatMessage[]): ChatRequest => aChatAsk({ messages }).request;
const textOf = ([part]: ChatMessage["parts"]): string => (part?.type === "text" ? part.text : (part?.type ?? ""));
const wordsOf = (request: ChatRequest) =>
  request.messages.map(({ role, parts }) => `${role}: ${textOf(parts).slice(0, 9)}`);

describe("trimRequest", () => {
  const talk = of(
    says("system", "Be brief."),
    says("user", `1. ${long}`),
    says("assistant", `A1 ${long}`),
    says("user", `2. ${long}`),
    says("assistant", `A2 ${long}`),
    says("user", "3. Now?"),
  );

  it("leaves alone what is short enough", () => expect(trimRequest(talk, 10_000)).toBeUndefined());

  it("drops the oldest turns, whole, until it fits", () => {
    const trimmed = trimRequest(talk, 1000)!;
    expect(wordsOf(trimmed.request)).toEqual([
      "system: Be brief.",
      "user: 2. word w",
      "assistant: A2 word w",
      "user: 3. Now?",
    ]);
    expect(trimmed).toMatchObject({ turnsDropped: 1, tokensBefore: estimateRequestTokens(talk) });
    expect(trimmed.tokensAfter).toBe(estimateRequestTokens(trimmed.request));
  });

  it("never drops system messages and the last question, however little is allowed", () =>
    expect(wordsOf(trimRequest(talk, 1)!.request)).toEqual(["system: Be brief.", "user: 3. Now?"]));

  it("takes a tool's call and result along with their question", () => {
    const request = of(
      says("user", long),
      { role: "assistant", parts: [{ type: "tool_call", id: "c", name: "f", arguments: "{}" }] },
      { role: "tool", parts: [{ type: "tool_result", id: "c", text: long }] },
      says("assistant", long),
      says("user", "And now?"),
    );
    expect(wordsOf(trimRequest(request, 50)!.request)).toEqual(["user: And now?"]);
  });

  it("touches nothing up to the last mark", () => {
    const request = of(
      says("user", `a  b\n\n\n\n${long}`),
      says("assistant", long, "5m"),
      says("user", long),
      says("assistant", long),
      says("user", "?"),
    );
    const trimmed = trimRequest(request, 1)!;
    expect(trimmed.request.messages.slice(0, 2)).toEqual(request.messages.slice(0, 2));
    expect(trimmed.request.messages).toHaveLength(3);
  });

  it("blanks go first, and where that is enough nothing else; code keeps every one of them", () => {
    const code = "```\na    b\n\n\n\nc\n```";
    const request = of(
      says("user", `x${" ".repeat(900)}y\n\n\n\n\nz\n  - indented\n${code}`),
      says("assistant", "ok"),
      says("user", "a    b"),
    );
    const trimmed = trimRequest(request, 100)!;
    expect(trimmed.turnsDropped).toBe(0);
    expect(trimmed.request.messages[0]!.parts).toEqual([{ type: "text", text: `x y\n\nz\n  - indented\n${code}` }]);
    expect(trimmed.request.messages[2]).toEqual(request.messages[2]);
  });

  it("law: what is kept stands in its order, the last turn and all system messages are there, and it is never longer", () => {
    const message = fc.record({
      role: fc.constantFrom<ChatMessage["role"]>("system", "user", "assistant"),
      words: fc.nat({ max: 60 }),
      marked: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), fc.nat({ max: 400 }), (made, toTokens) => {
        const request = of(
          ...made.map(({ role, words, marked }, i) =>
            says(role, `${i}: ${"w ".repeat(words)}`, marked && i < 2 ? "5m" : undefined),
          ),
          says("user", "last"),
        );
        const trimmed = trimRequest(request, toTokens);
        if (!trimmed) return;
        const first = (list: ChatRequest) => list.messages.map(({ parts }) => textOf(parts).split(" ")[0]!);
        const kept = first(trimmed.request);
        expect(first(request).filter((name) => kept.includes(name))).toEqual(kept);
        expect(kept.at(-1)).toBe("last");
        const systems = (list: ChatRequest) => list.messages.filter(({ role }) => role === "system").length;
        expect(systems(trimmed.request)).toBe(systems(request));
        expect(trimmed.tokensAfter).toBeLessThan(trimmed.tokensBefore);
      }),
    );
  });
});
