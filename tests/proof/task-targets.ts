/** The readers of embeddings, rerankings and moderations as targets; found by asking for every dialect and kind of model. */
import { dialectNames } from "../../src/kernel/chat.ts";
import type { EmbedRequest, RerankRequest, TaskRequest } from "../../src/kernel/task.ts";
import * as tasks from "../../src/engines/tasks/index.ts";
import type { ClientTask, VendorTask, VendorTaskRequest } from "../../src/engines/tasks/port.ts";
import { demandUsage } from "./oracles.ts";
import { type Target, demand } from "./target.ts";
import { wireFiles } from "./wire-files.ts";

const embed: EmbedRequest = { kind: "embed", inputs: ["one", "two"], unmodelled: [] };
const rerank: RerankRequest = { kind: "rerank", query: "q", documents: ["a", "b", "c"], unmodelled: [] };

const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
const parsed = (bytes: Uint8Array): { json: unknown } | undefined => {
  try {
    return { json: jsonOf(bytes) };
  } catch {
    return undefined;
  }
};

function vendorTasks(): { task: VendorTask; request: VendorTaskRequest }[] {
  const found = new Map<string, { task: VendorTask; request: VendorTaskRequest }>();
  for (const dialect of dialectNames)
    for (const platform of [undefined, "vertex"] as const)
      for (const model of ["m", "cohere.embed-v4", "amazon.nova-embed"]) {
        const at = { dialect, platform, model };
        const embedding = tasks.embedTaskOf(at);
        const ranking = tasks.rerankTaskOf(at);
        // Each takes requests of its own kind, which is what it is given below.
        if (embedding) {
          const request = { ...embed, inputs: embed.inputs.slice(0, embedding.mostInputs) };
          found.set(embedding.name, { task: embedding as unknown as VendorTask, request });
        }
        if (ranking) found.set(ranking.name, { task: ranking as unknown as VendorTask, request: rerank });
      }
  return [...found.values()];
}

const answers = [
  {
    data: [
      { embedding: [0.1, 0.2], index: 0 },
      { embedding: [0.3, 0.4], index: 1 },
    ],
    model: "m",
    usage: { prompt_tokens: 4, total_tokens: 4 },
  },
  { embeddings: { float: [[0.1], [0.2]] }, meta: { billed_units: { input_tokens: 3 } } },
  { embeddings: [{ values: [0.1] }, { values: [0.2] }] },
  {
    predictions: [
      { embeddings: { values: [0.1], statistics: { token_count: 2 } } },
      { embeddings: { values: [0.2], statistics: { token_count: 1 } } },
    ],
  },
  { embedding: [0.1, 0.2], inputTextTokenCount: 3 },
  {
    results: [
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.1 },
    ],
    meta: { billed_units: { search_units: 1 } },
  },
  { results: [{ index: 2, relevanceScore: 0.9 }] },
  { records: [{ id: "1", score: 0.9 }, { id: "0" }] },
];

function vendorTarget({ task, request }: { task: VendorTask; request: VendorTaskRequest }): Target {
  const recorded = wireFiles().filter(({ name }) => /response\/.*(embed|rerank)/.test(name));
  return {
    name: `tasks/${task.name}/answer`,
    subject: "tasks",
    shape: "json",
    seeds: [...answers.map((answer) => Buffer.from(JSON.stringify(answer))), ...recorded.map(({ bytes }) => bytes)],
    check(bytes) {
      const body = parsed(bytes);
      if (!body) return;
      const decoded = task.decodeResponse(body.json, request, "m");
      if (!decoded.ok) return demand(decoded.message !== "", "error", () => "no words for a bad answer");
      const { response } = decoded;
      demandUsage(response.usage, "answer");
      JSON.stringify(response);
      if (response.kind === "embed") {
        const numbers =
          response.vectors.length === (request as EmbedRequest).inputs.length &&
          response.vectors.every((vector) => Array.isArray(vector) && vector.every(Number.isFinite));
        demand(numbers, "vectors", () => JSON.stringify(response.vectors).slice(0, 500));
      }
      if (response.kind === "rerank") {
        const indexes = response.results.map(({ index }) => index);
        const sound =
          indexes.every((index) => Number.isInteger(index) && index >= 0 && index < 3) &&
          new Set(indexes).size === indexes.length;
        demand(sound, "ranking", () => JSON.stringify(indexes));
      }
    },
  };
}

const requests = [
  { model: "m", input: ["one", "two"], dimensions: 8, encoding_format: "base64", task_type: "CLASSIFICATION" },
  { model: "m", input: "text" },
  { model: "m", input: [[1, 2], [3]] },
  {
    model: "m",
    query: "q",
    documents: ["a", { text: "b" }],
    top_n: 1,
    return_documents: true,
    max_tokens_per_doc: 100,
  },
  { model: "m", input: ["I say so.", "and so"] },
];

type AnyClientTask = ClientTask<TaskRequest>;

/** Exports of the module that read clients' requests. */
const clientTasks = (): [string, AnyClientTask][] =>
  Object.entries(tasks).filter(([, value]) => typeof value === "object" && "decodeRequest" in value) as unknown as [
    string,
    AnyClientTask,
  ][];

function clientTarget([name, client]: [string, AnyClientTask]): Target {
  const recorded = wireFiles().filter((file) => /requests\/(embed|rerank)/.test(file.name));
  return {
    name: `tasks/${name}/request`,
    subject: "tasks",
    shape: "json",
    seeds: [...requests.map((request) => Buffer.from(JSON.stringify(request))), ...recorded.map(({ bytes }) => bytes)],
    check(bytes) {
      const body = parsed(bytes);
      if (!body) return;
      const decoded = client.decodeRequest(body.json);
      if (!decoded.ok)
        return demand(
          decoded.message !== "" && typeof decoded.path === "string",
          "error",
          () => "a refusal without its place or words",
        );
      for (const { task, request } of vendorTasks()) {
        if (request.kind !== decoded.request.kind) continue;
        const { body: sent } = task.encodeRequest(decoded.request as VendorTaskRequest, "vendor-model");
        demand(typeof JSON.stringify(sent) === "string", "request", () => `${task.name} writes no JSON of it`);
        if (client.same !== task.name || !task.forward) continue;
        const forwarded = jsonOf(task.forward(bytes, "vendor-model")) as { model: unknown };
        demand(forwarded.model === "vendor-model", "forward", () => "the model was not changed");
      }
    },
  };
}

export const taskTargets = (): Target[] => [...vendorTasks().map(vendorTarget), ...clientTasks().map(clientTarget)];
