import { dataClasses } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Condition, Model, Rung } from "../../kernel/snapshot.ts";
import type { Decision } from "../../path/context.ts";
import { estimateRequestTokens } from "../reserve/index.ts";
import type { ModelHost } from "../serve/port.ts";

/** `undefined` when the rung is open. */
type Bar = { reason: string; detail?: string } | undefined;

export function createRoute(options: { models: ModelHost }): (d: Decision) => Refusal | undefined {
  return (d) => {
    for (const [index, rung] of d.useCase.ladder.entries()) {
      const bar = barOf(d, rung, options.models);
      d.route.push({
        rung: index,
        target: labelOf(rung),
        eligible: bar === undefined,
        reason: bar?.reason ?? "eligible",
        ...(bar?.detail !== undefined && { detail: bar.detail }),
      });
      if (!bar) d.rungs.push({ index, rung });
    }
    if (d.rungs.length > 0) return undefined;
    if (d.route.every((reason) => reason.reason === "data_class_not_allowed"))
      return refuse("data_class_not_allowed", `No model of this use case may see ${d.dataClass} data.`);
    const told = d.route.map((reason) => `${reason.target}: ${reason.reason}`).join("; ");
    return refuse("nothing_eligible", `No rung of the ladder is open to this request (${told}).`);
  };
}

function labelOf(rung: Rung): string {
  switch (rung.type) {
    case "model":
      return rung.slot === undefined ? rung.model : `${rung.slot} → ${rung.model}`;
    case "template":
      return "template";
    case "refer":
      return `refer → ${rung.to}`;
  }
}

function barOf(d: Decision, rung: Rung, models: ModelHost): Bar {
  if (rung.type !== "model") return undefined;
  const model = d.snapshot.models.get(rung.model);
  if (!model) return { reason: "unknown_model" };
  const bar = model.type === "vendor" ? vendorBar(d, model) : hereBar(d, model, models);
  return bar ?? (rung.when && conditionBar(rung.when, d));
}

function vendorBar(d: Decision, model: Extract<Model, { type: "vendor" }>): Bar {
  const vendor = d.snapshot.vendors.get(model.vendor)!;
  if (d.kind !== "chat") return { reason: "kind_not_supported", detail: `a vendor's chat model can't serve ${d.kind}` };
  if (d.regions.length > 0 && !d.regions.includes(vendor.region))
    return { reason: "region_not_allowed", detail: `${vendor.region} is not among ${d.regions.join(", ")}` };
  if (dataClasses.indexOf(vendor.dataClass) < dataClasses.indexOf(d.dataClass))
    return {
      reason: "data_class_not_allowed",
      detail: `the agreement covers ${vendor.dataClass}, the data is ${d.dataClass}`,
    };
  const context = model.contextTokens;
  if (context !== undefined && estimateRequestTokens(d.request!) > context)
    return { reason: "too_long", detail: `the model reads ${context} tokens` };
  return undefined;
}

function hereBar(d: Decision, model: Extract<Model, { type: "runtime" }>, models: ModelHost): Bar {
  const loaded = models.get(model);
  if ("failed" in loaded) return { reason: "model_not_loaded", detail: loaded.failed };
  if (loaded.kind !== d.kind) return { reason: "kind_not_supported", detail: `${model.runtime} serves ${loaded.kind}` };
  if (loaded.kind === "chat" && (d.request?.tools?.length ?? 0) > 0) return { reason: "tools_unsupported" };
  return undefined;
}

function conditionBar(condition: Condition, d: Decision): Bar {
  const { type, id, tenant, environment, groups } = d.principal;
  let problem: string | undefined;
  const variables = {
    principal: { type, id, tenant, environment, groups },
    purpose: d.purpose ?? "",
    data_class: d.dataClass,
    risk: d.useCase.risk,
    tokens: d.request ? estimateRequestTokens(d.request) : 0,
    stream: d.request?.stream ?? false,
    ...(d.features && { features: d.features }),
  };
  if (condition.test(variables, (told) => (problem = told))) return undefined;
  return problem === undefined
    ? { reason: "condition_false", detail: condition.source }
    : { reason: "condition_failed", detail: `${condition.source}: ${problem}` };
}
