import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatAsk,
  aCondition,
  aDecision,
  aVendor,
  aVendorModel,
  modelRung,
  referRung,
  templateRung,
  userSays,
} from "../../../tests/fixtures/decision.ts";
import { routePorts } from "../../../tests/fixtures/route-ports.ts";
import type { LoadedModel } from "../../engines/runtimes/port.ts";
import type { ChatMessage } from "../../kernel/chat.ts";
import type { DataClass } from "../../kernel/decision.ts";
import type { Model, VendorTarget } from "../../kernel/snapshot.ts";
import { createRoute } from "./route.ts";

const file = { path: "m.onnx", sha256: "0".repeat(64), bytes: () => new Uint8Array() };
const scorer: Model = { name: "boosted", type: "runtime", runtime: "onnx", file };
const extractive: Model = { name: "extractive", type: "runtime", runtime: "extractive" };
const score: LoadedModel = { kind: "score", costMicros: 1, score: async () => [], close: async () => undefined };
const chat: LoadedModel = { kind: "chat", answer: async () => undefined, close: async () => undefined };
const hosted: Record<string, LoadedModel | { failed: string }> = { boosted: score, extractive: chat };

function reasonOf(
  parts: DecisionParts,
  rung = modelRung("large"),
  models: Model[] = [aVendorModel()],
  vendor: Partial<VendorTarget> = {},
) {
  const route = createRoute(routePorts({ get: ({ name }) => hosted[name] ?? { failed: "bad magic" } }));
  const d = aDecision({
    ...parts,
    useCase: { ...parts.useCase, ladder: [rung, templateRung] },
    snapshot: { models, vendors: [aVendor(vendor)] },
  });
  expect(route(d)).toBeUndefined();
  return { d, reason: d.route[0]!.reason, eligible: d.route[0]!.eligible };
}

describe("route: why a vendor's rung is open or not", () => {
  const tools = [{ name: "pay", parameters: {} }];
  const image: ChatMessage = { role: "user", parts: [{ type: "image", url: "https://example.org/a.png" }] };
  const rows: [string, ReturnType<typeof reasonOf>, string][] = [
    ["nothing against it", reasonOf({}), "eligible"],
    ["its region is allowed", reasonOf({ with: { regions: ["eu", "ch"] } }), "eligible"],
    ["its region is not", reasonOf({ with: { regions: ["ch"] } }), "region_not_allowed"],
    [
      "its agreement covers the data",
      reasonOf({ with: { dataClass: "personal" } }, undefined, undefined, { dataClass: "personal" }),
      "eligible",
    ],
    [
      "the data was raised beyond it",
      reasonOf({ with: { dataClass: "sensitive" } }, undefined, undefined, { dataClass: "personal" }),
      "data_class_not_allowed",
    ],
    ["a chat model can't score", reasonOf({ useCase: { kind: "score" } }), "kind_not_supported"],
    [
      "the chat is longer than it reads",
      reasonOf({ ask: aChatAsk({ messages: [userSays("x".repeat(301))] }) }, undefined, [
        aVendorModel({ contextTokens: 100 }),
      ]),
      "context_too_long",
    ],
    [
      "the chat just fits",
      reasonOf({ ask: aChatAsk({ messages: [userSays("x".repeat(288))] }) }, undefined, [
        aVendorModel({ contextTokens: 100 }),
      ]),
      "eligible",
    ],
    ["tools are its business", reasonOf({ ask: aChatAsk({ tools }) }), "eligible"],
    [
      "it has no tools",
      reasonOf({ ask: aChatAsk({ tools }) }, undefined, [aVendorModel({ lacks: ["vision", "tools"] })]),
      "tools_unsupported",
    ],
    ["it has none, and none are asked for", reasonOf({}, undefined, [aVendorModel({ lacks: ["tools"] })]), "eligible"],
    [
      "it can't see",
      reasonOf({ ask: aChatAsk({ messages: [image] }) }, undefined, [aVendorModel({ lacks: ["vision"] })]),
      "vision_unsupported",
    ],
    [
      "its condition holds",
      reasonOf({}, modelRung("large", { when: aCondition((v) => v["tokens"] !== 0) })),
      "eligible",
    ],
    [
      "its condition does not",
      reasonOf({}, modelRung("large", { when: aCondition(() => false, "tokens < 3") })),
      "condition_false",
    ],
    ["the model is not in the snapshot", reasonOf({}, modelRung("gone")), "unknown_model"],
  ];
  it.each(rows)("%s: %s", (_why, result, reason) => {
    expect([result.reason, result.eligible]).toEqual([reason, reason === "eligible"]);
    expect(result.d.rungs.map((step) => step.index)).toEqual(reason === "eligible" ? [0, 1] : [1]);
  });

  const classes: DataClass[] = ["public", "internal", "personal", "sensitive"];
  it("law: a vendor is open exactly up to the class that its agreement covers", () => {
    for (const [i, covered] of classes.entries())
      for (const [j, data] of classes.entries()) {
        const { eligible } = reasonOf({ with: { dataClass: data } }, undefined, undefined, { dataClass: covered });
        expect([covered, data, eligible]).toEqual([covered, data, j <= i]);
      }
  });
});

describe("route: why a rung in this process is open or not", () => {
  const rows: [string, ReturnType<typeof reasonOf>, string][] = [
    ["a chat model", reasonOf({}, modelRung("extractive"), [extractive]), "eligible"],
    [
      "a chat model, asked for tools",
      reasonOf({ ask: aChatAsk({ tools: [{ name: "pay", parameters: {} }] }) }, modelRung("extractive"), [extractive]),
      "tools_unsupported",
    ],
    ["a score model for a score", reasonOf({ useCase: { kind: "score" } }, modelRung("boosted"), [scorer]), "eligible"],
    ["a score model for a chat", reasonOf({}, modelRung("boosted"), [scorer]), "kind_not_supported"],
    [
      "a model that did not load",
      reasonOf({ useCase: { kind: "score" } }, modelRung("corrupt"), [{ ...scorer, name: "corrupt" }]),
      "model_not_loaded",
    ],
    [
      "no region binds what stays here",
      reasonOf({ with: { regions: ["ch"] } }, modelRung("extractive"), [extractive]),
      "eligible",
    ],
  ];
  it.each(rows)("%s: %s", (_why, result, reason) => expect(result.reason).toBe(reason));

  it("says in detail what was wrong", () => {
    const { d } = reasonOf({ useCase: { kind: "score" } }, modelRung("corrupt"), [{ ...scorer, name: "corrupt" }]);
    expect(d.route[0]).toEqual({
      rung: 0,
      target: "corrupt",
      eligible: false,
      reason: "model_not_loaded",
      detail: "bad magic",
    });
  });
});

describe("route: what only forwarded bytes carry", () => {
  const strict = { context: { strict: true } };
  const refusalOf = (parts: DecisionParts, vendor: Partial<VendorTarget> = {}) => {
    const d = aDecision({
      ...parts,
      useCase: { ...parts.useCase, ladder: [modelRung("large"), templateRung] },
      snapshot: { models: [aVendorModel()], vendors: [aVendor(vendor)] },
    });
    return { refusal: createRoute(routePorts())(d), reason: d.route[0]!.reason, detail: d.route[0]!.detail };
  };
  const lossy = { ask: aChatAsk({ seed: 7 }) };
  const claude = { dialect: "anthropic-messages" } as const;

  it("strict: a translation that would lose something is refused, with the fields' names", () => {
    const { refusal, reason, detail } = refusalOf({ ...lossy, ...strict }, claude);
    expect(refusal).toMatchObject({ code: "translation_loss", message: expect.stringContaining("seed") as string });
    expect([reason, detail]).toEqual(["translation_loss", "seed"]);
  });

  it.each([
    ["nobody asked for it", lossy, claude],
    ["nothing is lost", { ...strict }, claude],
    ["the bytes go on as they are", { ask: aChatAsk({ unmodelled: ["prediction"] }), ...strict }, {}],
  ] as [string, DecisionParts, Partial<VendorTarget>][])("strict: open where %s", (_why, parts, vendor) =>
    expect(refusalOf(parts, vendor)).toMatchObject({ refusal: undefined, reason: "eligible" }),
  );

  it("strict: as a use case's own rule", () => {
    expect(refusalOf({ ...lossy, useCase: { strict: true } }, claude).reason).toBe("translation_loss");
  });

  it("strict: bytes that a prompt changes are a translation", () => {
    const ask = aChatAsk({ unmodelled: ["prediction"] });
    expect(refusalOf({ ask, ...strict, useCase: { prompt: "Be brief." } }).detail).toBe("prediction");
  });

  it("previous_response_id is passed to its owner or refused", () => {
    const ask = aChatAsk({ previous_response_id: "resp_1" });
    const { refusal, reason } = refusalOf({ ask });
    expect(reason).toBe("previous_response_elsewhere");
    expect(refusal).toMatchObject({ code: "unsupported_feature", param: "previous_response_id" });
    const responses = { ...ask, dialect: "openai-responses" } as const;
    const vendor = { dialect: "openai-responses" } as const;
    expect(refusalOf({ ask: responses }, vendor).reason).toBe("eligible");
    expect(refusalOf({ ask: responses, useCase: { prompt: "Be brief." } }, vendor).reason).toBe(
      "previous_response_elsewhere",
    );
  });
});

describe("route: near the end of the budget", () => {
  const models = [
    aVendorModel(),
    aVendorModel({ name: "dear", model: "d", price: { ...aVendorModel().price, output: 90_000_000_000n } }),
  ];
  const openOf = (budgetLevel: "warn" | "degrade", ladder = [modelRung("dear"), modelRung("large")]) => {
    const d = aDecision({ useCase: { ladder }, with: { budgetLevel }, snapshot: { models, vendors: [aVendor()] } });
    createRoute(routePorts())(d);
    return d.route.map(({ target, reason }) => `${target} ${reason}`);
  };
  it("the dearest model is left out, unless it is the only one", () => {
    expect(openOf("warn")).toEqual(["dear eligible", "large eligible"]);
    expect(openOf("degrade")).toEqual(["dear budget_degraded", "large eligible"]);
    expect(openOf("degrade", [modelRung("dear")])).toEqual(["dear eligible"]);
  });
});

describe("route", () => {
  const route = createRoute(routePorts({ get: () => ({ failed: "none" }) }));

  it("gives conditions the facts that they may ask for", () => {
    const seen: Record<string, unknown>[] = [];
    const when = aCondition((variables) => (seen.push(variables), true));
    reasonOf(
      {
        principal: { groups: ["staff"] },
        with: { purpose: "service", dataClass: "personal" },
        ask: aChatAsk({ stream: true }),
      },
      modelRung("large", { when }),
    );
    expect(seen).toEqual([
      {
        principal: { type: "service", id: "branch-app", tenant: "retail", environment: "test", groups: ["staff"] },
        purpose: "service",
        data_class: "personal",
        risk: "limited",
        tokens: expect.any(Number) as number,
        stream: true,
        task: "",
        latency: "",
        batchable: false,
        restricted: false,
        region: "eu",
        budget: "ok",
      },
    ]);
  });

  it("keeps the ladder's order and names each rung", () => {
    const d = aDecision({
      useCase: { ladder: [referRung, modelRung("large", { slot: "main" }), templateRung] },
      snapshot: { models: [aVendorModel()], vendors: [aVendor()] },
    });
    expect(route(d)).toBeUndefined();
    expect(d.route.map((reason) => reason.target)).toEqual(["refer → underwriting", "main → large", "template"]);
    expect(d.rungs.map((step) => step.index)).toEqual([0, 1, 2]);
  });

  it("refuses with every reason when no rung is open", () => {
    const d = aDecision({
      useCase: { ladder: [modelRung("large"), modelRung("gone")] },
      with: { regions: ["ch"] },
      snapshot: { models: [aVendorModel()], vendors: [aVendor()] },
    });
    expect(route(d)).toMatchObject({
      code: "nothing_eligible",
      message: expect.stringMatching(/large: region_not_allowed; gone: unknown_model/) as string,
    });
    expect(d.rungs).toEqual([]);
  });
});
