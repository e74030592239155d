/** Embeddings and rerankings at a vendor: the client's own bytes where it speaks the vendor's format, else translated. */
import { isUtf8 } from "node:buffer";
import type { VendorTask, VendorTaskRequest } from "../../engines/tasks/port.ts";
import type { EmbedResponse, TaskResponse } from "../../kernel/task.ts";
import { type Usage, addUsage } from "../../kernel/usage.ts";
import type { Decision, Served } from "../../path/context.ts";
import { estimateSearchUnits, estimateTaskTokens } from "../reserve/index.ts";
import type { AttemptPlan } from "./attempt.ts";
import type { VendorTasks } from "./port.ts";
import { type VendorPorts, type VendorWay, type VendorWire, callVendor, parseJson } from "./vendor-call.ts";
import { credible } from "./vendor-usage.ts";

export interface TaskPorts extends VendorPorts {
  tasks: VendorTasks;
}

// Vectors of 2,048 inputs with 3,072 numbers each, written out.
const maxAnswerBytes = 128 * 1024 * 1024;

export async function serveVendorTask(ports: TaskPorts, d: Decision, way: VendorWay): Promise<Served | "next-rung"> {
  const request = d.task as VendorTaskRequest;
  const { dialect, platform } = way.vendor;
  const format = ports.tasks(request.kind, { dialect, platform, model: way.model.model });
  // Routing has closed rungs without one; a snapshot's vendors don't change under a decision.
  if (!format) throw new Error(`vendor ${way.vendor.name} has no API to ${request.kind}`);
  const served = await serveParts(ports, d, way, format, partsOf(request, format));
  if (served === "next-rung") return served;
  d.model = way.model.name;
  return served;
}

/** Vendors that take one input a call are called once for each, one after the other. */
function partsOf(request: VendorTaskRequest, { mostInputs }: VendorTask): VendorTaskRequest[] {
  if (request.kind === "rerank" || mostInputs > 1 || request.inputs.length === 1) return [request];
  return request.inputs.map((input) => ({ ...request, inputs: [input] }));
}

type Part = Extract<Served, { type: "task" }>;

async function serveParts(
  ports: TaskPorts,
  d: Decision,
  way: VendorWay,
  format: VendorTask,
  parts: readonly VendorTaskRequest[],
): Promise<Part | "next-rung"> {
  const answers: Part[] = [];
  for (const part of parts) {
    const answer = await servePart(ports, d, way, format, part);
    if (!answer) return "next-rung";
    answers.push(answer);
  }
  return answers.length === 1
    ? answers[0]!
    : { type: "task", response: joined(answers.map(({ response }) => response)) };
}

function joined(responses: readonly TaskResponse[]): EmbedResponse {
  const answers = responses as EmbedResponse[];
  const usage = answers.map((answer) => answer.usage!).reduce(addUsage);
  return { kind: "embed", model: answers[0]!.model, vectors: answers.flatMap(({ vectors }) => vectors), usage };
}

async function servePart(
  ports: TaskPorts,
  d: Decision,
  way: VendorWay,
  format: VendorTask,
  request: VendorTaskRequest,
): Promise<Part | undefined> {
  const { index, slot, model, vendor } = way;
  const { body, dropped, forwarded } = bodyOf(d, format, request, model.model);
  const estimate = estimateTaskTokens(request);
  const expected = usageOf(request, ports.calibration.expected(model.name, estimate));
  const worst = usageOf(request, Math.max(estimate, ports.calibration.admitted(model.name, estimate)));
  const plan: AttemptPlan = {
    rung: index,
    ...(slot !== undefined && { slot }),
    model: model.name,
    target: `${vendor.name}/${model.model}`,
    region: vendor.region,
    price: model.price,
    worstCase: worst,
    watched: { stream: false, policy: vendor.health },
    bounds: { cacheWrite: "none", ...(worst.search_units && { searchUnits: worst.search_units }) },
    ...(model.energy && { energy: model.energy }),
  };
  const wire: VendorWire = {
    path: format.path(model.model),
    headers: {},
    accept: "application/json",
    body,
    expected: { input: expected.input, output: 0 },
    estimate: () => expected,
    decodeError: (status, told) => ports.dialects(vendor.dialect).decodeError(status, told),
    read: async (attempt, response) => {
      const bytes = await response.whole(maxAnswerBytes);
      const decoded = format.decodeResponse(parseJson(bytes.toString("utf8")), request, model.model);
      if (!decoded.ok) {
        attempt.end("failed", { reason: "unreadable_answer", usage: expected });
        return { retryable: true };
      }
      const reported = credible(decoded.response.usage);
      // What a reranker reports is no count of the texts.
      if (reported && request.kind === "embed") ports.calibration.observe(model.name, estimate, reported.input);
      const usage = reported ?? expected;
      attempt.firstContent();
      attempt.end("ok", { usage });
      const answer = { ...decoded.response, usage };
      return { served: { type: "task", response: answer, ...(forwarded && { raw: passable(bytes) }) } };
    },
  };
  const served = await callVendor({ ports, d, way, plan, wire });
  if (served) for (const field of dropped) d.dropped.add(field);
  return served as Part | undefined;
}

/** The same that routing asked before it opened the rung in strict mode. */
function bodyOf(d: Decision, format: VendorTask, request: VendorTaskRequest, model: string) {
  const { ask } = d;
  const same = ask.kind === request.kind && "format" in ask && ask.format === format.name;
  if (same && request === ask.task && !d.rewritten && d.bytesClean && format.forward)
    return { body: format.forward(ask.body, model), dropped: [], forwarded: true };
  const { body, dropped } = format.encodeRequest(request, model);
  return { body: JSON.stringify(body), dropped, forwarded: false };
}

const usageOf = (request: VendorTaskRequest, input: number): Usage => ({
  input,
  cached_input: 0,
  output: 0,
  ...(request.kind === "rerank" && { search_units: estimateSearchUnits(request) }),
  estimated: true,
});

// A short text leaves in one write with the headers, bytes in a second one.
const longAnswer = 16 * 1024;
const passable = (bytes: Buffer): Uint8Array | string =>
  bytes.length < longAnswer && isUtf8(bytes) ? bytes.toString("utf8") : bytes;
