import { describe, expect, it } from "vitest";
import { aDecision, aGuard, aTaskAsk } from "../../../tests/fixtures/decision.ts";
import { wordScanner } from "../../../tests/fixtures/word-scanner.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import type { EmbedRequest, ModerateRequest, RerankRequest, TaskRequest } from "../../kernel/task.ts";
import { createScreen } from "./screen.ts";

const screen = createScreen(wordScanner);
const decision = (task: TaskRequest, screen: Guard[]) => aDecision({ ask: aTaskAsk(task), useCase: { screen } });
const embed = (...inputs: EmbedRequest["inputs"]): EmbedRequest => ({ kind: "embed", inputs, unmodelled: [] });
const rerank = (query: string, documents: string[]): RerankRequest => ({
  kind: "rerank",
  query,
  documents,
  unmodelled: [],
});
const moderate = (...inputs: string[]): ModerateRequest => ({ kind: "moderate", inputs, unmodelled: [] });

describe("screen reads the texts of tasks", () => {
  it.each<[string, TaskRequest]>([
    ["an input", embed("hello", "my CARD")],
    ["the end user's name", { ...embed("hello"), user: "CARD" }],
    ["the query", rerank("which CARD", ["one"])],
    ["a document", rerank("which", ["one", "this CARD"])],
    ["what is to be moderated", moderate("CARD")],
  ])("blocks %s", (_where, task) => {
    const d = decision(task, [aGuard()]);
    expect(screen(d)).toMatchObject({ code: "input_blocked" });
    expect(d.guards).toMatchObject([{ verdict: "deny", action: "block", findings: { card: 1 } }]);
  });

  it("redacts every text and says that the bytes no longer hold", () => {
    const d = decision({ ...embed("CARD", "fine"), user: "CARD" }, [aGuard({ action: "redact" })]);
    expect(screen(d)).toBeUndefined();
    expect(d.task).toEqual({ ...embed("[card]", "fine"), user: "[card]" });
    expect(d.rewritten).toBe(true);
    const order = decision(rerank("CARD", ["a CARD", "b"]), [aGuard({ action: "redact" })]);
    expect(screen(order)).toBeUndefined();
    expect(order.task).toEqual(rerank("[card]", ["a [card]", "b"]));
  });

  it("lets clean bytes pass with every guard's verdict, and raises the class of what may stand", () => {
    const clean = decision(embed("hello"), [aGuard()]);
    expect(screen(clean)).toBeUndefined();
    expect(clean).toMatchObject({ bytesClean: true, rewritten: false, guards: [{ verdict: "allow" }] });
    const told = decision(embed("CARD"), [aGuard({ action: "allow" })]);
    expect(screen(told)).toBeUndefined();
    expect(told).toMatchObject({ bytesClean: false, dataClass: "personal" });
  });

  it("refuses token ids, which no guard can read, and only where there is a guard", () => {
    expect(screen(decision(embed("hello", [1, 2]), [aGuard()]))).toMatchObject({
      code: "unsupported_feature",
      param: "input",
    });
    expect(screen(decision(embed([1, 2]), []))).toBeUndefined();
  });

  it("refuses more text than is read on the loop, for moderations without any guard", () => {
    const text = "a".repeat(1024 * 1024 + 1);
    expect(screen(decision(moderate(text), []))).toMatchObject({ code: "body_too_large" });
    expect(screen(decision(embed(text), []))).toBeUndefined();
  });
});
