import { describe, expect, it } from "vitest";
import { compileBank, replace, tryBank } from "./bank-fixture.ts";

const detectors = ["card", "iban", "email"];
const useCase = (text: string) => replace("use_cases:\n", `use_cases:\n  own: ${text}\n`);
const problemsOf = (text: string): string[] => {
  const result = tryBank([useCase(text)], { detectors });
  return result.ok ? [] : result.problems.filter(({ path }) => path.startsWith("use_cases.own")).map((p) => p.message);
};

describe("use cases that embed, rank or moderate", () => {
  it("compile with their defaults", () => {
    const own = (text: string) => compileBank(useCase(text)).snapshot.useCases.get("own")!;
    expect(own("{ kind: embed, ladder: [gpt-main] }")).toMatchObject({
      kind: "embed",
      dataClass: "internal",
      deadlineMs: 60_000,
      ladder: [{ type: "model", model: "gpt-main" }],
    });
    expect(own("{ kind: moderate, detect: [card], ladder: [detectors] }")).toMatchObject({
      kind: "moderate",
      detect: ["card"],
      deadlineMs: 5000,
      ladder: [{ model: "detectors", commit: "complete" }],
    });
    expect(compileBank().snapshot.models.get("detectors")).toMatchObject({ type: "runtime", runtime: "detectors" });
  });

  it("warns of vectors that can't be compared", () => {
    const warnings = (ladder: string) => {
      const result = tryBank([useCase(`{ kind: embed, ladder: ${ladder} }`)]);
      if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("; "));
      return result.warnings.filter(({ path }) => path === "use_cases.own.ladder");
    };
    expect(warnings("[gpt-main]")).toEqual([]);
    expect(warnings("[gpt-main, qwen-small]")).toMatchObject([{ message: expect.stringContaining("mixed") as string }]);
    expect(warnings("[{ pool: [gpt-main, qwen-small] }]")).toHaveLength(1);
  });

  it("what is detected is part of the bundle", () => {
    const bundle = (detect: string) =>
      compileBank(useCase(`{ kind: moderate, detect: ${detect}, ladder: [detectors] }`)).snapshot.useCases.get("own")!
        .bundle;
    expect(bundle("[card]")).not.toBe(bundle("[card, iban]"));
  });

  it.each<[string, RegExp]>([
    ["{ kind: embed, ladder: [extractive] }", /runs in this process, where none can embed/],
    ["{ kind: rerank, ladder: [baseline] }", /runs in this process, where none can rerank/],
    ["{ kind: moderate, ladder: [gpt-main] }", /not the built-in `detectors`/],
    ["{ kind: chat, ladder: [detectors] }", /of kind chat, not moderate/],
    ["{ kind: embed, ladder: [gpt-main, { template: no }] }", /a fixed text can't embed/],
    ["{ kind: rerank, ladder: [gpt-main, { refer: desk }] }", /a queue of people can't rerank/],
    ["{ kind: embed, ladder: [{ model: gpt-main, accept: { abstains: false } }] }", /reads a chat's answer/],
    ["{ kind: embed, ladder: [gpt-main], check: [pii] }", /no text that a guard could read/],
    ["{ kind: embed, ladder: [gpt-main], cache: { exact: 1m } }", /answers are not kept/],
    ["{ kind: rerank, ladder: [gpt-main], prompt: prompts/assistant.md }", /no conversation/],
    ["{ kind: rerank, ladder: [gpt-main], ground: { folder: policies } }", /nothing is answered from documents/],
    ["{ kind: embed, ladder: [gpt-main], input: schemas/applicant.yaml }", /a feature contract belongs to a score/],
    ["{ kind: embed, ladder: [gpt-main], decide: [{ result: yes }] }", /nothing that a rule could ask about/],
    ["{ kind: embed, ladder: [gpt-main], detect: [card] }", /detectors are the answer of moderate/],
    ["{ kind: moderate, detect: [cards], ladder: [detectors] }", /detector "cards"/],
  ])("%s is told to be wrong", (text, message) => {
    expect(problemsOf(text)).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  });
});
