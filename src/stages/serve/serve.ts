import type { Model, Rung } from "../../kernel/snapshot.ts";
import { textsOf } from "../../kernel/task.ts";
import { freePrice, noUsage } from "../../kernel/usage.ts";
import type { Decision, Served } from "../../path/context.ts";
import { Attempt, type AttemptPlan } from "./attempt.ts";
import type { ModelHost } from "./port.ts";
import { serveVendor } from "./vendor.ts";
import { type TaskPorts, serveVendorTask } from "./vendor-task.ts";

type InProcess = Extract<Model, { type: "runtime" }>;

export interface ServePorts extends TaskPorts {
  models: ModelHost;
}

export function createServe(
  ports: ServePorts,
): (d: Decision, rung: Rung, index: number) => Promise<Served | "next-rung"> {
  return async (d, rung, index) => {
    // What is named as lost was lost by the rung that answered, not by one before it.
    d.dropped.clear();
    if (rung.type === "refer") return { type: "refer", to: rung.to };
    if (rung.type === "template") {
      d.model = "template";
      return templateAnswer(rung.text);
    }
    const model = d.snapshot.models.get(rung.model)!;
    const slot = rung.slot === undefined ? {} : { slot: rung.slot };
    if (model.type === "vendor") {
      const vendor = d.snapshot.vendors.get(model.vendor)!;
      if (d.task) return serveVendorTask(ports, d, { index, ...slot, model, vendor });
      const stream = d.request!.stream && rung.commit === "first-byte";
      const logprobs = rung.accept?.confidence !== undefined;
      return serveVendor(ports, d, { index, ...slot, model, vendor, stream, logprobs });
    }
    const stop = ports.keyRefusal(d);
    if (stop) {
      d.abort(stop);
      return "next-rung";
    }
    return serveHere(ports, d, model, {
      rung: index,
      ...slot,
      model: model.name,
      target: `${model.runtime}/${model.name}`,
      region: "in-process",
      price: model.price ?? freePrice,
      worstCase: noUsage,
      ...(model.energy && { energy: model.energy }),
    });
  };
}

const templateAnswer = (text: string): Extract<Served, { type: "chat" }> => ({
  type: "chat",
  response: { model: "template", parts: [{ type: "text", text }], finish: "stop", usage: noUsage },
});

async function serveHere(
  ports: ServePorts,
  d: Decision,
  model: InProcess,
  plan: AttemptPlan,
): Promise<Served | "next-rung"> {
  const attempt = Attempt.begin(ports, d, plan);
  if (!attempt) return "next-rung";
  const loaded = ports.models.get(model);
  if ("failed" in loaded) {
    attempt.end("failed", { reason: "model_not_loaded" });
    return "next-rung";
  }
  try {
    const served = await answerOf(loaded, d);
    if (!served) {
      attempt.end("ok", { reason: "abstained" });
      return "next-rung";
    }
    attempt.firstContent();
    attempt.end("ok");
    d.model = plan.model;
    return served;
  } catch (fault) {
    // A fault of one model is the ladder's business: the next rung may still decide.
    attempt.end(d.signal.aborted ? "aborted" : "failed", { reason: "runtime_fault" });
    ports.report(d, fault);
    return "next-rung";
  }
}

type Loaded = Exclude<ReturnType<ModelHost["get"]>, { failed: string }>;

function answerOf(model: Loaded, d: Decision): Promise<Served | undefined> {
  switch (model.kind) {
    case "score":
      return score(model, d);
    case "chat":
      return answer(model, d);
    case "moderate":
      return moderate(model, d);
  }
}

async function moderate(model: Extract<Loaded, { kind: "moderate" }>, d: Decision): Promise<Served> {
  const found = await model.judge(textsOf(d.task!), d.useCase.detect, d.signal);
  const results = found.map((findings) => ({ findings }));
  return { type: "task", response: { kind: "moderate", model: "detectors", results, usage: noUsage } };
}

async function score(model: Extract<Loaded, { kind: "score" }>, d: Decision): Promise<Served> {
  const [row] = await model.score([d.features!], d.signal, d.deadlineAt);
  return { type: "score", score: row!.score, reasons: row!.reasons };
}

async function answer(model: Extract<Loaded, { kind: "chat" }>, d: Decision): Promise<Served | undefined> {
  const response = await model.answer(d.request!, d.passages, d.signal);
  return response && { type: "chat", response: response.usage ? response : { ...response, usage: noUsage } };
}
