import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aDecision,
  aTaskAsk,
  aVendor,
  aVendorModel,
  modelRung,
} from "../../../tests/fixtures/decision.ts";
import { vendorDialectOf } from "../../engines/dialects/index.ts";
import { vendorTaskOf } from "../../engines/tasks/index.ts";
import type { AttemptMeta } from "../../kernel/decision.ts";
import { refuse } from "../../kernel/errors.ts";
import { nanoUsd } from "../../kernel/money.ts";
import type { EmbedRequest, RerankRequest, TaskRequest } from "../../kernel/task.ts";
import { freePrice } from "../../kernel/usage.ts";
import { MoneyBook, TokenCalibration } from "../reserve/index.ts";
import { Capacity } from "./capacity/index.ts";
import { HealthBook, VendorKeys } from "./health/index.ts";
import { UpstreamFault, type UpstreamRequest } from "./upstream.ts";
import { serveVendorTask } from "./vendor-task.ts";

const embed = (...inputs: EmbedRequest["inputs"]): EmbedRequest => ({ kind: "embed", inputs, unmodelled: [] });
const rerank: RerankRequest = { kind: "rerank", query: "which", documents: ["a", "b"], unmodelled: [] };

type Answer = UpstreamFault | { status?: number; body: unknown };
/** What the n-th call gets. */
type Script = (n: number) => Answer;

interface Parts extends DecisionParts {
  dialect?: "openai-chat" | "cohere" | "bedrock-converse";
  model?: Parameters<typeof aVendorModel>[0];
  format?: string;
  budget?: number;
}

function setUp(task: TaskRequest, script: Script, parts: Parts = {}) {
  const model = aVendorModel(parts.model);
  const vendor = aVendor({ dialect: parts.dialect ?? "openai-chat" });
  const d = aDecision({
    ask: aTaskAsk(task, parts.format),
    ...parts,
    ...(parts.budget !== undefined && {
      tenant: { budgets: [{ nanoUsd: nanoUsd(parts.budget), per: "day", atLimit: "block" }] },
    }),
  });
  d.rungs = [{ index: 0, rung: modelRung("large") }];
  const sent: UpstreamRequest[] = [];
  const recorded: AttemptMeta[] = [];
  const money = new MoneyBook(d.clock);
  const ports = {
    money,
    health: new HealthBook(d.clock),
    capacity: new Capacity({ clock: d.clock }),
    calibration: new TokenCalibration(),
    keys: new VendorKeys(d.clock),
    isExcluded: () => false,
    keyRefusal: () => undefined,
    report: () => undefined,
    record: (_d: unknown, meta: AttemptMeta) => void recorded.push(meta),
    dialects: vendorDialectOf,
    tasks: vendorTaskOf,
    upstream: {
      async send(request: UpstreamRequest) {
        const answer = script(sent.push(request) - 1);
        if (answer instanceof UpstreamFault) throw answer;
        return {
          status: answer.status ?? 200,
          headers: {},
          body: (async function* () {})(),
          whole: async () => Buffer.from(JSON.stringify(answer.body)),
          finish: () => undefined,
          cancel: () => undefined,
        };
      },
      close: async () => undefined,
    },
  };
  const run = () => serveVendorTask(ports, d, { index: 0, model, vendor });
  return { d, sent, recorded, money, run };
}

const vector = (embedding: number[]) => ({ body: { embedding, inputTextTokenCount: 3 } });
const list = (more: object = {}) => ({ body: { data: [{ index: 0, embedding: [1, 2] }], ...more } });
const titan: Parts = { dialect: "bedrock-converse", model: { model: "amazon.titan-embed-text-v2" } };

describe("one call for all", () => {
  it("retries as a chat does, and every try is booked", async () => {
    const { d, recorded, run } = setUp(embed("a"), (n) => (n === 0 ? { status: 503, body: {} } : list()));
    const served = run();
    await d.clock.advance(1000);
    expect(await served).toMatchObject({ type: "task", response: { vectors: [[1, 2]] } });
    expect(recorded.map(({ status, reason }) => [status, reason])).toEqual([
      ["failed", "http_503"],
      ["ok", undefined],
    ]);
    expect(d.model).toBe("large");
  });

  it.each([
    ["the same format, clean and untouched", {}, true],
    ["redacted", { with: { rewritten: true } }, false],
    ["not clean", { with: { bytesClean: false } }, false],
    ["another format", { format: "cohere-rerank" }, false],
  ] satisfies [string, Parts, boolean][])("%s: the vendor's bytes pass: %#", async (_what, parts, passes) => {
    const { sent, d, run } = setUp(embed("a"), () => list({ extra: 1 }), { format: "openai-embeddings", ...parts });
    const served = await run();
    expect(served).toMatchObject({ type: "task" });
    expect(typeof served === "object" && "raw" in served ? served.raw : undefined).toBe(
      passes ? JSON.stringify(list({ extra: 1 }).body) : undefined,
    );
    const body = Buffer.from(sent[0]!.body).toString("utf8");
    expect(body.includes("unmodelled")).toBe(passes);
    expect(JSON.parse(body)).toMatchObject({ model: "acme-large-1" });
    expect(d.usage.estimated).toBe(true);
  });

  it("money is held for search units, and what was reported is charged", async () => {
    const price = { ...freePrice, version: "v", search_units: 2_000_000_000_000n };
    const body = { results: [{ index: 1, relevance_score: 0.5 }], meta: { billed_units: { search_units: 1 } } };
    const parts: Parts = { dialect: "cohere", model: { price } };
    const { recorded, run } = setUp(rerank, () => ({ body }), parts);
    await run();
    expect(recorded).toMatchObject([{ status: "ok", cost_nano_usd: 2_000_000, held_nano_usd: 2_000_000 }]);
    const poor = setUp(rerank, () => ({ body }), { ...parts, budget: 1_999_999 });
    expect(await poor.run()).toBe("next-rung");
    expect(poor.recorded).toMatchObject([{ status: "unaffordable" }]);
    expect(poor.sent).toEqual([]);
  });

  it("a call whose answer was lost is taken to have used what was sent", async () => {
    const { recorded, money, run } = setUp(embed("some words"), () => new UpstreamFault("reset"), {
      useCase: { retries: 0 },
    });
    expect(await run()).toBe("next-rung");
    expect(recorded).toMatchObject([{ status: "failed", reason: "reset", usage: { estimated: true } }]);
    expect(recorded[0]!.usage.input).toBeGreaterThan(0);
    expect(money.held).toBe(0);
  });
});

describe("one call for each", () => {
  it("puts the vectors in the order of the texts and sums what was used", async () => {
    const { d, sent, run } = setUp(embed("a", "b", "c"), (n) => vector([n]), titan);
    expect(await run()).toMatchObject({
      response: { vectors: [[0], [1], [2]], usage: { input: 9, estimated: false } },
    });
    expect(sent.map(({ body }) => (JSON.parse(body as string) as { inputText: string }).inputText)).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(d.usage.input).toBe(9);
  });

  it("one that fails is no answer, and no further one is asked for", async () => {
    const { recorded, sent, run } = setUp(
      embed("a", "b", "c"),
      (n) => (n === 1 ? { status: 400, body: {} } : vector([n])),
      titan,
    );
    expect(await run()).toBe("next-rung");
    expect(sent).toHaveLength(2);
    expect(recorded.map(({ status }) => status)).toEqual(["ok", "rejected"]);
  });

  it("a client who goes is not worked for any longer", async () => {
    const setup = setUp(
      embed("a", "b", "c"),
      (n) => {
        if (n === 1) setup.d.abort(refuse("client_gone"));
        return vector([n]);
      },
      titan,
    );
    expect(await setup.run()).toBe("next-rung");
    expect(setup.sent).toHaveLength(2);
  });
});
