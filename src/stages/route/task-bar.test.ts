import { describe, expect, it } from "vitest";
import { aDecision, aTaskAsk, aVendor, aVendorModel, modelRung } from "../../../tests/fixtures/decision.ts";
import { routePorts } from "../../../tests/fixtures/route-ports.ts";
import type { UseCase, VendorTarget } from "../../kernel/snapshot.ts";
import type { EmbedRequest, RerankRequest, TaskRequest } from "../../kernel/task.ts";
import { createRoute } from "./route.ts";

const embed = (inputs: EmbedRequest["inputs"], more: Partial<EmbedRequest> = {}): EmbedRequest => ({
  kind: "embed",
  inputs,
  unmodelled: [],
  ...more,
});
const rerank = (documents: number): RerankRequest => ({
  kind: "rerank",
  query: "q",
  documents: Array.from({ length: documents }, () => "d"),
  unmodelled: [],
});
const texts = (count: number) => Array.from({ length: count }, () => "text");

interface Case {
  task: TaskRequest;
  vendor?: Partial<VendorTarget>;
  model?: Parameters<typeof aVendorModel>[0];
  useCase?: Partial<UseCase>;
  format?: string;
}

function routed({ task, vendor, model, useCase, format }: Case) {
  const d = aDecision({
    ask: aTaskAsk(task, format),
    useCase: { ladder: [modelRung("large")], ...useCase },
    snapshot: { models: [aVendorModel(model)], vendors: [aVendor(vendor)] },
  });
  const refusal = createRoute(routePorts())(d);
  return { d, refusal, reason: d.route[0]! };
}

const bedrock = { dialect: "bedrock-converse" } as const;
const titan = { model: "amazon.titan-embed-text-v2" };

describe("whether a vendor's model may embed or rank", () => {
  it.each<[string, Case, string]>([
    ["an OpenAI model embeds", { task: embed(texts(2048)) }, "eligible"],
    [
      "Anthropic has no vectors",
      { task: embed(texts(1)), vendor: { dialect: "anthropic-messages" } },
      "kind_not_supported",
    ],
    ["no vendor moderates", { task: { kind: "moderate", inputs: ["x"], unmodelled: [] } }, "kind_not_supported"],
    ["more than a vendor takes", { task: rerank(201), vendor: { dialect: "gemini" } }, "too_many_inputs"],
    ["as many as it takes", { task: rerank(200), vendor: { dialect: "gemini" } }, "eligible"],
    ["one by one up to 16", { task: embed(texts(16)), vendor: bedrock, model: titan }, "eligible"],
    ["one by one, 17", { task: embed(texts(17)), vendor: bedrock, model: titan }, "too_many_inputs"],
    ["token ids at OpenAI", { task: embed(["a", [1, 2]]) }, "eligible"],
    ["token ids elsewhere", { task: embed(["a", [1, 2]]), vendor: bedrock, model: titan }, "token_ids_unsupported"],
    [
      "a text longer than the context",
      { task: embed(["word ".repeat(99)]), model: { contextTokens: 20 } },
      "context_too_long",
    ],
    [
      "one that may be cut",
      { task: embed(["word ".repeat(99)], { truncate: true }), model: { contextTokens: 20 } },
      "eligible",
    ],
    ["many short ones", { task: embed(texts(99)), model: { contextTokens: 20 } }, "eligible"],
    ["data beyond the agreement", { task: embed(texts(1)), vendor: { dataClass: "public" } }, "data_class_not_allowed"],
    [
      "a loss in strict mode",
      { task: embed(["a"], { purpose: "query" }), useCase: { strict: true } },
      "translation_loss",
    ],
    ["a loss that nobody minds", { task: embed(["a"], { purpose: "query" }) }, "eligible"],
    [
      "no loss where the bytes go on",
      { task: embed(["a"], { purpose: "query" }), useCase: { strict: true }, format: "openai-embeddings" },
      "eligible",
    ],
  ])("%s", (_what, asked, expected) => expect(routed(asked).reason.reason).toBe(expected));

  it("regions of the decision bind", () => {
    const d = aDecision({
      ask: aTaskAsk(embed(["a"])),
      useCase: { ladder: [modelRung("large")] },
      snapshot: { models: [aVendorModel()], vendors: [aVendor({ region: "us" })] },
      with: { regions: ["eu"] },
    });
    createRoute(routePorts())(d);
    expect(d.route[0]).toMatchObject({ eligible: false, reason: "region_not_allowed" });
  });

  it.each<[string, Case, object]>([
    ["too much", { task: rerank(201), vendor: { dialect: "gemini" } }, { code: "invalid_request", param: "documents" }],
    ["token ids", { task: embed([[1]]), vendor: bedrock, model: titan }, { code: "invalid_request", param: "input" }],
    [
      "a loss",
      { task: embed(["a"], { purpose: "query" }), useCase: { strict: true } },
      { code: "translation_loss", message: "large would lose task_type." },
    ],
  ])("%s is the caller's fault where no other rung is open", (_what, asked, refusal) =>
    expect(routed(asked).refusal).toMatchObject(refusal),
  );
});
