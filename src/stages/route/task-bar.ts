/** Why a vendor's model can't embed or rank what is asked: no API for it, too much at once, what its format can't say. */
import type { VendorTask, VendorTaskRequest } from "../../engines/tasks/port.ts";
import type { VendorTarget } from "../../kernel/snapshot.ts";
import type { TaskRequest } from "../../kernel/task.ts";
import { longestInputTokens } from "../reserve/index.ts";
import type { VendorTasks } from "../serve/port.ts";
import type { Bar, VendorModel } from "./bars.ts";
import type { Facts } from "./facts.ts";

// Vendors that take one input a call are called so often one after the other, and no more.
const mostCalls = 16;

export function taskBar(
  tasks: VendorTasks,
  facts: Facts,
  task: TaskRequest,
  model: VendorModel,
  vendor: VendorTarget,
): Bar {
  const { dialect, platform } = vendor;
  const format = task.kind === "moderate" ? undefined : tasks(task.kind, { dialect, platform, model: model.model });
  if (!format || task.kind === "moderate")
    return { reason: "kind_not_supported", detail: `vendor ${vendor.name} has no API to ${task.kind}` };
  return sizeBar(format, task, model) ?? tokenIdsBar(format, task, model) ?? lossBar(format, facts, task, model);
}

function sizeBar({ mostInputs }: VendorTask, task: VendorTaskRequest, { contextTokens }: VendorModel): Bar {
  const count = task.kind === "embed" ? task.inputs.length : task.documents.length;
  const most = task.kind === "embed" && mostInputs === 1 ? mostCalls : mostInputs;
  if (count > most) return { reason: "too_many_inputs", detail: `it takes ${most} at once, these are ${count}` };
  if (contextTokens === undefined || task.kind !== "embed" || task.truncate === true) return undefined;
  const longest = longestInputTokens(task);
  return longest > contextTokens
    ? { reason: "context_too_long", detail: `the model reads ${contextTokens} tokens, one input has about ${longest}` }
    : undefined;
}

/** Ids of one vendor's tokenizer mean nothing to another one. */
function tokenIdsBar(format: VendorTask, task: VendorTaskRequest, { model }: VendorModel): Bar {
  const ids = task.kind === "embed" ? task.inputs.find((input) => typeof input !== "string") : undefined;
  if (ids === undefined) return undefined;
  const { dropped } = format.encodeRequest({ kind: "embed", inputs: [ids], unmodelled: [] }, model);
  return dropped.length === 0 ? undefined : { reason: "token_ids_unsupported", detail: "it reads texts only" };
}

function lossBar(format: VendorTask, { d, strict }: Facts, task: VendorTaskRequest, { model }: VendorModel): Bar {
  // Serve decides the same when it prepares the call.
  const isForwarded = "format" in d.ask && d.ask.format === format.name && !d.rewritten && d.bytesClean;
  if (!strict || (isForwarded && format.forward)) return undefined;
  const { dropped } = format.encodeRequest(task, model);
  return dropped.length === 0 ? undefined : { reason: "translation_loss", detail: dropped.slice(0, 8).join(", ") };
}
