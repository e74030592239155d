import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatAsk,
  aDecision,
  aGuard,
  aPassage,
  userSays,
} from "../../../tests/fixtures/decision.ts";
import { wordScanner } from "../../../tests/fixtures/word-scanner.ts";
import type { Collection, Passage } from "../../retrieval/port.ts";
import { createGround } from "./ground.ts";

const grounding = { folder: "passages", collection: "handbook", passages: 3, generation: "g1", files: [] };

function setUp(found: Passage[], parts: DecisionParts = {}) {
  const asked: unknown[] = [];
  const collection: Collection = {
    name: "handbook",
    generation: "g1",
    size: found.length,
    search: (...args) => (asked.push(args), found),
  };
  const ground = createGround({
    collection: (generation) => (generation === "g1" ? collection : undefined),
    scanner: wordScanner,
  });
  const d = aDecision({ ...parts, useCase: { ground: grounding, ...parts.useCase } });
  ground(d);
  return { d, asked };
}

describe("ground", () => {
  it("asks with the last user message and the caller's groups, and records what was found", () => {
    const messages = [userSays("first"), userSays("What does it"), { role: "assistant" as const, parts: [] }];
    messages[1]!.parts.push({ type: "text", text: "cost?" });
    const { d, asked } = setUp([aPassage("Nothing.")], {
      ask: aChatAsk({ messages }),
      principal: { groups: ["staff"] },
    });
    expect(asked).toEqual([["What does it cost?", 3, ["staff"]]]);
    expect(d.passages).toEqual([aPassage("Nothing.")]);
    expect(d.retrieval).toEqual({
      collection: "handbook",
      generation: "g1",
      passages: [{ source: "accounts.md", score: 1.235 }],
    });
  });

  it("keeps one of two passages that say the same but for a word, the better one", () => {
    const text = (fee: string) => `${Array.from({ length: 120 }, (_, i) => `word${i}`).join(" ")} ${fee}`;
    const found = [
      aPassage(text("Else four euros."), { source: "a.md" }),
      aPassage(text("Else five euros."), { source: "b.md" }),
      aPassage("Cards cost extra.", { source: "c.md" }),
      aPassage("Cards cost extra!", { source: "d.md" }),
    ];
    const { d } = setUp(found);
    expect(d.passages.map(({ source }) => source)).toEqual(["a.md", "c.md"]);
    expect(d.retrieval?.passages).toHaveLength(2);
  });

  it.each([
    ["the use case has no collection", { useCase: { ground: undefined } as never }],
    ["the generation is not open", { useCase: { ground: { ...grounding, generation: "g2" } } }],
    ["nobody asked anything", { ask: aChatAsk({ messages: [userSays("  ")] }) }],
    ["there is no user message", { ask: aChatAsk({ messages: [] }) }],
    ["it is a score", { useCase: { kind: "score" as const } }],
  ] as [string, DecisionParts][])("finds nothing when %s", (_when, parts) => {
    const { d, asked } = setUp([aPassage("x")], parts);
    expect(asked).toEqual([]);
    expect(d.passages).toEqual([]);
    expect(d.retrieval).toBeUndefined();
  });

  it("leaves out a passage that a blocking guard stops, and says so without its text", () => {
    const { d } = setUp([aPassage("a CARD number"), aPassage("fine")], { useCase: { screen: [aGuard()] } });
    expect(d.passages.map((passage) => passage.text)).toEqual(["fine"]);
    expect(d.guards).toEqual([
      { guard: "cards", on: "passages", verdict: "deny", action: "block", findings: { card: 1 } },
    ]);
    expect(d.retrieval!.passages).toHaveLength(1);
  });

  it("never rewrites a quotation: redacting guards don't read passages", () => {
    const { d } = setUp([aPassage("a CARD number")], { useCase: { screen: [aGuard({ action: "redact" })] } });
    expect(d.passages[0]!.text).toBe("a CARD number");
    expect(d.guards).toEqual([]);
  });

  it.each([
    ["closed", 0],
    ["open", 1],
  ] as const)("a guard that fails %s keeps %s passages", (onFailure, kept) => {
    const ground = createGround({
      collection: () => ({ name: "h", generation: "g1", size: 1, search: () => [aPassage("x")] }),
      scanner: {
        scan: () => {
          throw new Error("down");
        },
        redact: (text) => text,
      },
    });
    const d = aDecision({ useCase: { ground: grounding, screen: [aGuard({ onFailure })] } });
    ground(d);
    expect(d.passages).toHaveLength(kept);
  });
});
