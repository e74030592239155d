import { describe, expect, it } from "vitest";
import { aDecision, aTaskAsk } from "../../../tests/fixtures/decision.ts";
import type { EmbedRequest, RerankRequest, TaskResponse } from "../../kernel/task.ts";
import type { Outcome } from "../../path/context.ts";
import { settledContent } from "./meta.ts";

const scrub = (text: string) => text.replaceAll("CVC", "[cvc]");
const embed: EmbedRequest = { kind: "embed", inputs: ["a CVC", [1, 2]], unmodelled: [] };
const rerank: RerankRequest = { kind: "rerank", query: "CVC?", documents: ["one", "CVC"], unmodelled: [] };
const vectors: TaskResponse = {
  kind: "embed",
  model: "m",
  vectors: [
    [1, 2, 3],
    [4, 5, 6],
  ],
};
const order: TaskResponse = { kind: "rerank", model: "m", results: [{ index: 1, score: 0.5 }] };
const outcome = (response: TaskResponse, raw?: string): Outcome => ({ type: "task", response, ...(raw && { raw }) });

describe("what is recorded of a task", () => {
  it.each(["redacted", "full"] as const)("record: %s keeps the texts, of vectors only their form", (record) => {
    const d = aDecision({ ask: aTaskAsk(embed), useCase: { record } });
    expect(settledContent(d, outcome(vectors), scrub)).toEqual({
      task: { kind: "embed", inputs: ["a [cvc]", [1, 2]], unmodelled: [] },
      answer: { vectors: 2, dimensions: 3 },
    });
  });

  it("keeps the order of documents and counts of findings", () => {
    expect(settledContent(aDecision({ ask: aTaskAsk(rerank) }), outcome(order), scrub)).toMatchObject({
      task: { query: "[cvc]?", documents: ["one", "[cvc]"] },
      answer: [{ index: 1, score: 0.5 }],
    });
  });

  it("record: digest keeps nothing", () => {
    const d = aDecision({ ask: aTaskAsk(embed), useCase: { record: "digest" } });
    expect(settledContent(d, outcome(vectors), scrub)).toBeUndefined();
  });

  it("keeps for a repeated key what was answered: once, and scrubbed where it holds text", () => {
    const kept = (task: EmbedRequest | RerankRequest, said: Outcome) => {
      const d = aDecision({
        ask: aTaskAsk(task),
        useCase: { record: "digest" },
        with: { idempotency: { key: "k", body: "b" } },
      });
      return settledContent(d, said, scrub)?.kept_answer;
    };
    expect(kept(embed, outcome(vectors))).toEqual(outcome(vectors));
    expect(kept(embed, outcome(vectors, '{"data":[]}'))).toEqual(outcome({ ...vectors, vectors: [] }, '{"data":[]}'));
    expect(kept(rerank, outcome(order, '{"document":"CVC"}'))).toEqual(outcome(order, '{"document":"[cvc]"}'));
  });
});
