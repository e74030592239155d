import type { VendorDialect } from "../../engines/dialects/port.ts";
import type { VendorTask } from "../../engines/tasks/port.ts";
import type { LoadedModel } from "../../engines/runtimes/port.ts";
import type { DialectName } from "../../kernel/chat.ts";
import type { Model } from "../../kernel/snapshot.ts";
import type { EmbedRequest, RerankRequest } from "../../kernel/task.ts";

/** The wire format of that name; `assemble` plugs the dialects in. */
export type VendorDialects = (name: DialectName) => VendorDialect;

/** How a vendor is asked for vectors or an order; `undefined` where it can't be. */
export type VendorTasks = (
  kind: (EmbedRequest | RerankRequest)["kind"],
  at: { dialect: DialectName; platform?: "vertex" | undefined; model: string },
) => VendorTask | undefined;

/** Models that run in this process, loaded for the snapshots that serve. */
export interface ModelHost {
  /** The model, or why it is not there. */
  get(model: Extract<Model, { type: "runtime" }>): LoadedModel | { failed: string };
}
