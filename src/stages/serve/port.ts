import type { VendorDialect } from "../../engines/dialects/port.ts";
import type { LoadedModel } from "../../engines/runtimes/port.ts";
import type { DialectName } from "../../kernel/chat.ts";
import type { Model } from "../../kernel/snapshot.ts";

/** The wire format of that name; `assemble` plugs the dialects in. */
export type VendorDialects = (name: DialectName) => VendorDialect;

/** Models that run in this process, loaded for the snapshots that serve. */
export interface ModelHost {
  /** The model, or why it is not there. */
  get(model: Extract<Model, { type: "runtime" }>): LoadedModel | { failed: string };
}
