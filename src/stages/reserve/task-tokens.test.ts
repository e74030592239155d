import { describe, expect, it } from "vitest";
import { aDecision, aTaskAsk } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import type { EmbedRequest, RerankRequest } from "../../kernel/task.ts";
import { LimitBook } from "./limit-book.ts";
import { MoneyBook } from "./money-book.ts";
import { createReserve } from "./reserve.ts";
import { estimateSearchUnits, estimateTaskTokens, longestInputTokens } from "./task-tokens.ts";
import { estimateTokens } from "./text-tokens.ts";

const embed = (...inputs: EmbedRequest["inputs"]): EmbedRequest => ({ kind: "embed", inputs, unmodelled: [] });
const rerank = (query: string, documents: string[]): RerankRequest => ({
  kind: "rerank",
  query,
  documents,
  unmodelled: [],
});
const words = (count: number) => "word ".repeat(count);

describe("what a task's texts weigh", () => {
  it("sums texts, takes token ids for what they are and reads the query beside each document", () => {
    expect(estimateTaskTokens(embed("hello there", [1, 2, 3]))).toBe(estimateTokens("hello there") + 3);
    expect(estimateTaskTokens(rerank("which one", ["a b", "c d"]))).toBe(
      estimateTokens("a b") + estimateTokens("c d") + 2 * estimateTokens("which one"),
    );
    expect(longestInputTokens(embed("hello", [1, 2, 3, 4, 5, 6, 7, 8, 9]))).toBe(9);
  });

  it.each([
    [1, 1],
    [100, 1],
    [101, 2],
    [250, 3],
  ])("%i short documents are %i search units", (documents, units) =>
    expect(
      estimateSearchUnits(
        rerank(
          "q",
          Array.from({ length: documents }, () => "short"),
        ),
      ),
    ).toBe(units),
  );

  it("a long document counts as several", () => {
    const long = words(1000);
    const pieces = Math.ceil((estimateTokens("q") + estimateTokens(long)) / 500);
    expect(pieces).toBeGreaterThan(1);
    expect(
      estimateSearchUnits(
        rerank(
          "q",
          Array.from({ length: 100 }, () => long),
        ),
      ),
    ).toBe(pieces);
  });
});

describe("reserve counts tasks as it counts chats", () => {
  const clock = new VirtualClock();
  const reserve = () => createReserve({ limits: new LimitBook(clock), money: new MoneyBook(clock) });

  it("against the tokens a minute", () => {
    const stage = reserve();
    const make = () =>
      aDecision({ clock, ask: aTaskAsk(embed(words(100))), tenant: { limits: { tokensPerMinute: 250 } } });
    expect(stage(make())).toBeUndefined();
    expect(stage(make())).toMatchObject({ code: "token_limited" });
  });

  it("against the longest input", () => {
    const d = aDecision({ clock, ask: aTaskAsk(embed(words(100))), useCase: { maxInputTokens: 50 } });
    expect(reserve()(d)).toMatchObject({ code: "input_too_long" });
  });
});
