/** Why a model may not be used for a decision, whatever shape it is in: policy, capability, condition. */
import { dataClasses } from "../../kernel/decision.ts";
import { type Condition, type Model, type VendorTarget, capabilities } from "../../kernel/snapshot.ts";
import type { ModelHost, VendorDialects, VendorTasks } from "../serve/port.ts";
import type { Facts } from "./facts.ts";
import { taskBar } from "./task-bar.ts";

/** `undefined` when it is open. */
export type Bar = { reason: string; detail?: string } | undefined;

export interface BarPorts {
  models: ModelHost;
  dialects: VendorDialects;
  tasks: VendorTasks;
}

export type VendorModel = Extract<Model, { type: "vendor" }>;

export function vendorBar(ports: BarPorts, facts: Facts, model: VendorModel, vendor: VendorTarget): Bar {
  const { d } = facts;
  if (!d.request && !d.task) return { reason: "kind_not_supported", detail: `a vendor's model can't serve ${d.kind}` };
  if (d.regions.length > 0 && !d.regions.includes(vendor.region))
    return { reason: "region_not_allowed", detail: `${vendor.region} is not among ${d.regions.join(", ")}` };
  if (dataClasses.indexOf(vendor.dataClass) < dataClasses.indexOf(d.dataClass))
    return {
      reason: "data_class_not_allowed",
      detail: `the agreement covers ${vendor.dataClass}, the data is ${d.dataClass}`,
    };
  if (d.task) return taskBar(ports.tasks, facts, d.task, model, vendor);
  const context = model.contextTokens;
  if (context !== undefined && facts.tokens > context)
    return { reason: "context_too_long", detail: `the model reads ${context} tokens, these are about ${facts.tokens}` };
  const lacking = model.lacks?.find((capability) => facts.needs(capability));
  if (lacking) return { reason: `${lacking}_unsupported` };
  return carriageBar(ports, facts, model, vendor);
}

/** What only forwarded bytes carry, and what a translation would lose. */
function carriageBar(ports: BarPorts, facts: Facts, model: VendorModel, vendor: VendorTarget): Bar {
  const request = facts.d.request!;
  const continues = request.previous_response_id !== undefined;
  if (!continues && !facts.strict) return undefined;
  if (isForwarded(ports, facts, vendor)) {
    if (!continues || vendor.dialect === "openai-responses") return undefined;
  } else if (!continues) return lossBar(ports, facts, model, vendor);
  return {
    reason: "previous_response_elsewhere",
    detail: "the answer that this request continues lies at the vendor that gave it",
  };
}

function lossBar(ports: BarPorts, facts: Facts, model: VendorModel, vendor: VendorTarget): Bar {
  const target = { ...vendor.quirks, model: model.model, defaultMaxTokens: model.maxOutputTokens };
  const { dropped } = ports.dialects(vendor.dialect).encodeRequest(facts.d.request!, target);
  return dropped.length === 0 ? undefined : { reason: "translation_loss", detail: named(dropped) };
}

/** Whether the client's own bytes would go on: serve decides the same when it prepares the call. */
function isForwarded(ports: BarPorts, { d }: Facts, vendor: VendorTarget): boolean {
  if (d.ask.kind !== "chat" || d.ask.dialect !== vendor.dialect) return false;
  const rewritten = d.rewritten || d.request !== d.ask.request;
  const composed = d.useCase.prompt !== undefined || d.useCase.ground !== undefined;
  return !rewritten && !composed && d.bytesClean && ports.dialects(vendor.dialect).forward !== undefined;
}

const mostNamed = 8;
const named = (fields: readonly string[]): string =>
  fields.slice(0, mostNamed).join(", ") + (fields.length > mostNamed ? ` and ${fields.length - mostNamed} more` : "");

export function hereBar({ models }: BarPorts, facts: Facts, model: Extract<Model, { type: "runtime" }>): Bar {
  const { d } = facts;
  const loaded = models.get(model);
  if ("failed" in loaded) return { reason: "model_not_loaded", detail: loaded.failed };
  if (loaded.kind !== d.kind) return { reason: "kind_not_supported", detail: `${model.runtime} serves ${loaded.kind}` };
  if (loaded.kind !== "chat") return undefined;
  const lacking = capabilities.find((capability) => facts.needs(capability));
  if (lacking) return { reason: `${lacking}_unsupported` };
  if (d.request?.previous_response_id !== undefined) return { reason: "previous_response_elsewhere" };
  return undefined;
}

export function conditionBar(condition: Condition, facts: Facts, region: string): Bar {
  const { d } = facts;
  const { type, id, tenant, environment, groups } = d.principal;
  const { context } = d.call;
  let problem: string | undefined;
  const variables = {
    principal: { type, id, tenant, environment, groups },
    purpose: d.purpose ?? "",
    data_class: d.dataClass,
    risk: d.useCase.risk,
    tokens: facts.tokens,
    stream: d.request?.stream ?? false,
    task: context.task ?? "",
    latency: context.latency ?? "",
    batchable: context.batchable ?? false,
    restricted: context.restricted ?? false,
    region,
    budget: d.budgetLevel ?? "ok",
    ...(d.features && { features: d.features }),
  };
  if (condition.test(variables, (told) => (problem = told))) return undefined;
  return problem === undefined
    ? { reason: "condition_false", detail: condition.source }
    : { reason: "condition_failed", detail: `${condition.source}: ${problem}` };
}
