import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatResponse,
  aDecision,
  aPassage,
  aTaskAsk,
  aVendor,
  aVendorModel,
  modelRung,
  referRung,
  templateRung,
} from "../../../tests/fixtures/decision.ts";
import type { VendorDialect } from "../../engines/dialects/port.ts";
import type { LoadedModel, ModerateModel } from "../../engines/runtimes/port.ts";
import type { AttemptMeta } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Model } from "../../kernel/snapshot.ts";
import { noUsage } from "../../kernel/usage.ts";
import { MoneyBook, TokenCalibration } from "../reserve/index.ts";
import { HealthBook, VendorKeys } from "./health/index.ts";
import { createServe } from "./serve.ts";
import { Capacity } from "./capacity/index.ts";

const models: Model[] = [
  {
    name: "boosted",
    type: "runtime",
    runtime: "onnx",
    file: { path: "b", sha256: "b", bytes: () => new Uint8Array() },
  },
  { name: "extractive", type: "runtime", runtime: "extractive" },
];
const scoring = (score: () => Promise<number>): LoadedModel => ({
  kind: "score",
  costMicros: 1,
  score: async () => [{ score: await score(), reasons: [{ basis: "rule", name: "r" }] }],
  close: async () => undefined,
});

function setUp(loaded: LoadedModel | { failed: string }, parts: DecisionParts = {}, key?: Refusal) {
  const d = aDecision({ snapshot: { models: [...models, aVendorModel()], vendors: [aVendor()] }, ...parts });
  const recorded: AttemptMeta[] = [];
  const reported: unknown[] = [];
  const streams: boolean[] = [];
  const money = new MoneyBook(d.clock);
  const serve = createServe({
    models: { get: () => loaded },
    money,
    health: new HealthBook(d.clock),
    capacity: new Capacity({ clock: d.clock }),
    calibration: new TokenCalibration(),
    keys: new VendorKeys(d.clock),
    isExcluded: () => false,
    report: (_d, fault) => reported.push(fault),
    record: (_d, meta) => recorded.push(meta),
    keyRefusal: () => key,
    upstream: {
      send: async (request) => {
        streams.push(request.headers["accept"] === "text/event-stream");
        throw new Error("not in this test");
      },
      close: async () => undefined,
    },
    dialects: () => nothingDialect,
    tasks: () => undefined,
  });
  return { d, serve, recorded, reported, streams, money };
}
const nothingDialect: VendorDialect = {
  name: "openai-chat",
  path: () => "/chat/completions",
  headers: () => ({}),
  encodeRequest: () => ({ body: {}, dropped: [] }),
  decodeResponse: () => ({ ok: false, message: "" }),
  streamType: "text/event-stream",
  openDecoder: () => expect.unreachable(),
  openStream: () => ({ decode: () => [] }),
  decodeError: () => ({ message: "" }),
};

describe("serve: in this process", () => {
  it("a score, with the rules that fired, free and recorded", async () => {
    const { d, serve, recorded } = setUp(
      scoring(async () => 0.7),
      { useCase: { kind: "score" }, with: { features: { income: 1 } } },
    );
    expect(await serve(d, modelRung("boosted", { slot: "main" }), 3)).toEqual({
      type: "score",
      score: 0.7,
      reasons: [{ basis: "rule", name: "r" }],
    });
    expect(recorded).toMatchObject([
      {
        n: 1,
        rung: 3,
        slot: "main",
        model: "boosted",
        target: "onnx/boosted",
        region: "in-process",
        status: "ok",
        cost_nano_usd: 0,
        usage: noUsage,
      },
    ]);
    expect(d.model).toBe("boosted");
  });

  it("an answer from the passages, with no usage of its own", async () => {
    const asked: unknown[] = [];
    const model: LoadedModel = {
      kind: "chat",
      answer: async (...args) => (asked.push(args), aChatResponse("Free. [1]")),
      close: async () => undefined,
    };
    const { d, serve } = setUp(model, { with: { passages: [aPassage("Free.")] } });
    expect(await serve(d, modelRung("extractive"), 0)).toEqual({
      type: "chat",
      response: { ...aChatResponse("Free. [1]"), usage: noUsage },
    });
    expect(asked).toEqual([[d.request, d.passages, d.signal]]);
  });

  it("an abstention is no failure and takes the next rung", async () => {
    const { d, serve, recorded } = setUp({ kind: "chat", answer: async () => undefined, close: async () => undefined });
    expect(await serve(d, modelRung("extractive"), 0)).toBe("next-rung");
    expect(recorded).toMatchObject([{ status: "ok", reason: "abstained" }]);
    expect(d.model).toBeUndefined();
  });

  it("a model that faults is the ladder's business: recorded, reported, next rung", async () => {
    const fault = new Error("NaN");
    const { d, serve, recorded, reported, money } = setUp(
      scoring(() => Promise.reject(fault)),
      { useCase: { kind: "score" } },
    );
    expect(await serve(d, modelRung("boosted"), 0)).toBe("next-rung");
    expect(recorded).toMatchObject([{ status: "failed", reason: "runtime_fault" }]);
    expect([reported, money.held]).toEqual([[fault], 0]);
  });

  it("one that was aborted says so", async () => {
    const { d, serve, recorded } = setUp(
      scoring(async () => (d.abort(refuse("client_gone")), Promise.reject(new Error("aborted")))),
      { useCase: { kind: "score" } },
    );
    expect(await serve(d, modelRung("boosted"), 0)).toBe("next-rung");
    expect(recorded).toMatchObject([{ status: "aborted" }]);
  });

  it("one that went away since routing is a failed attempt", async () => {
    const { d, serve, recorded } = setUp({ failed: "gone" }, { useCase: { kind: "score" } });
    expect(await serve(d, modelRung("boosted"), 0)).toBe("next-rung");
    expect(recorded).toMatchObject([{ status: "failed", reason: "model_not_loaded" }]);
  });

  it("a revoked key stops the decision before the model is called", async () => {
    const { d, serve, recorded } = setUp(
      scoring(() => expect.unreachable()),
      { useCase: { kind: "score" } },
      refuse("revoked_key"),
    );
    expect(await serve(d, modelRung("boosted"), 0)).toBe("next-rung");
    expect([recorded, d.signal.reason]).toMatchObject([[], { code: "revoked_key" }]);
  });
});

describe("serve: what calls nothing", () => {
  it("a template, without an attempt", async () => {
    const { d, serve, recorded } = setUp({ failed: "" });
    expect(await serve(d, templateRung, 0)).toMatchObject({
      type: "chat",
      response: { model: "template", parts: [{ type: "text", text: "Please call us." }], usage: noUsage },
    });
    expect([recorded, d.model]).toEqual([[], "template"]);
  });

  it("a hand-over to people", async () => {
    const { d, serve } = setUp({ failed: "" });
    expect(await serve(d, referRung, 0)).toEqual({ type: "refer", to: "underwriting" });
  });
});

describe("serve: vendors", () => {
  it.each([
    [true, "first-byte", true],
    [true, "complete", false],
    [false, "first-byte", false],
  ] as const)("client streams %s on a %s rung: the vendor streams %s", async (stream, commit, streams) => {
    const house = setUp({ failed: "" });
    house.d.request = { ...house.d.request!, stream };
    await house.serve(house.d, modelRung("large", { commit }), 0).catch(() => undefined);
    expect(house.streams).toEqual([streams]);
  });
});

describe("a model that moderates", () => {
  const ask = aTaskAsk({ kind: "moderate", inputs: ["one", "two"], unmodelled: [] });
  const detectors: Model = { name: "detectors", type: "runtime", runtime: "detectors" };
  const judging = (judge: ModerateModel["judge"]): LoadedModel => ({
    kind: "moderate",
    judge,
    close: async () => undefined,
  });
  const parts: DecisionParts = { ask, useCase: { detect: ["card"] }, snapshot: { models: [detectors] } };

  it("is asked for what the use case names, and its counts are the answer", async () => {
    const model = judging(async (texts, wanted) => texts.map((text) => ({ [wanted![0]!]: text.length })));
    const { d, serve, recorded } = setUp(model, parts);
    expect(await serve(d, modelRung("detectors"), 0)).toMatchObject({
      type: "task",
      response: { kind: "moderate", results: [{ findings: { card: 3 } }, { findings: { card: 3 } }] },
    });
    expect(recorded).toMatchObject([{ status: "ok", target: "detectors/detectors", cost_nano_usd: 0 }]);
  });

  it("a fault is a failed rung", async () => {
    const { d, serve, recorded, reported } = setUp(
      judging(() => Promise.reject(new Error("down"))),
      parts,
    );
    expect(await serve(d, modelRung("detectors"), 0)).toBe("next-rung");
    expect(recorded).toMatchObject([{ status: "failed", reason: "runtime_fault" }]);
    expect(reported).toHaveLength(1);
  });
});
