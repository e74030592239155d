import { describe, expect, it } from "vitest";
import { type Edit, compileBank, replace, tryBank } from "./bank-fixture.ts";

const tenant = (text: string): Edit =>
  replace("{ budget: { usd: 4000, per: month, at_limit: block }, residency: [eu, onprem] }", text);
const useCase = (text: string): Edit =>
  replace("    prompt: prompts/assistant.md\n", `    prompt: prompts/assistant.md\n${text}`);
const usd = 1_000_000_000;

describe("what a tenant may use", () => {
  it("several budgets with steps, for itself, each principal, named ones, and each key", () => {
    const { snapshot } = compileBank(
      tenant(`
    budget:
      - { usd: 4000, per: month, steps: [{ at: 80, do: warn }, { at: 95, do: degrade }] }
      - { usd: 0.5, per: hour, at_limit: warn }
    weight: 3
    each_principal: { limits: { requests_per_minute: 60 }, budget: { usd: 10, per: week } }
    principals: { "branch app/7": { limits: { concurrency: 2 }, priority: batch } }
    each_key: { budget: { usd: 1, per: day } }`),
    );
    const steps = [
      { at: 80, do: "warn" },
      { at: 95, do: "degrade" },
    ];
    expect(snapshot.tenants.get("retail")).toEqual({
      name: "retail",
      limits: {},
      residency: [],
      budgets: [
        { nanoUsd: 4000 * usd, per: "month", atLimit: "block", steps },
        { nanoUsd: usd / 2, per: "hour", atLimit: "warn", steps: [] },
      ],
      eachPrincipal: {
        limits: { requestsPerMinute: 60 },
        budgets: [{ nanoUsd: 10 * usd, per: "week", atLimit: "block", steps: [] }],
      },
      principals: new Map([["branch app/7", { limits: { concurrency: 2 }, budgets: [], priority: "batch" }]]),
      eachKey: { limits: {}, budgets: [{ nanoUsd: usd, per: "day", atLimit: "block", steps: [] }] },
      weight: 3,
    });
  });

  it.each([
    ["a window that there is not", "{ budget: { usd: 1, per: year } }", /per|year/],
    ["a step that there is not", "{ budget: { usd: 1, per: day, steps: [{ at: 80, do: explode }] } }", /explode|do/],
    ["a step at the end", "{ budget: { usd: 1, per: day, steps: [{ at: 100, do: warn }] } }", /99/],
    [
      "steps out of order",
      "{ budget: { usd: 1, per: day, steps: [{ at: 90, do: warn }, { at: 80, do: degrade }] } }",
      /ascend/,
    ],
    [
      "two budgets for a window",
      "{ budget: [{ usd: 1, per: day }, { usd: 2, per: day }] }",
      /one budget for each window/,
    ],
    ["an unknown key of a budget", "{ budget: { usd: 1, per: day, limit: 3 } }", /limit/],
    ["an unknown class", "{ principals: { a: { priority: urgent } } }", /urgent/],
  ])("%s is a problem", (_what, text, message) => {
    const result = tryBank([tenant(text)]);
    expect(result.ok).toBe(false);
    const told = result.ok
      ? ""
      : result.problems.map((problem) => `${problem.message} ${problem.fix ?? ""}`).join("\n");
    expect(told).toMatch(message);
  });
});

describe("what a use case may use", () => {
  it("limits, budget, priority, and the most that one call may cost and be long", () => {
    const { snapshot } = compileBank(
      useCase(
        "    limits: { tokens_per_minute: 5 }\n    budget: { usd: 7, per: day }\n    priority: interactive\n    max_cost: 0.05\n    max_input_tokens: 8000\n    max_output_tokens: 500\n",
      ),
    );
    expect(snapshot.useCases.get("assistant")).toMatchObject({
      limits: { tokensPerMinute: 5 },
      budgets: [{ nanoUsd: 7 * usd, per: "day", atLimit: "block", steps: [] }],
      priority: "interactive",
      maxCost: usd / 20,
      maxInputTokens: 8000,
      maxOutputTokens: 500,
    });
  });

  it("limits are no part of the bundle: changing them needs no release", () => {
    const bundleOf = (...edits: Edit[]) => compileBank(...edits).snapshot.useCases.get("assistant")!.bundle;
    expect(bundleOf(useCase("    max_cost: 1\n    budget: { usd: 7, per: day }\n"))).toBe(bundleOf());
  });
});
