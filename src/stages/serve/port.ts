import type { DialectName, VendorDialect } from "../../engines/dialects/port.ts";
import type { Model } from "../../kernel/snapshot.ts";
import type { LoadedModel } from "../../engines/runtimes/port.ts";

interface SseRecord {
  event: string;
  data: string;
  raw: Uint8Array;
}
interface SseDecoder {
  push(chunk: Uint8Array): Iterable<SseRecord>;
  /** The record that the stream ended in without its blank line, if it ended in one. */
  end(): Iterable<SseRecord>;
}

/** The wire formats as serve uses them; `assemble` plugs the dialects in. */
export interface DialectTools {
  vendor(name: DialectName): VendorDialect;
  sse(): SseDecoder;
  /** The client's own bytes with only the model (and what streaming needs) changed. */
  splice(body: Uint8Array, dialect: DialectName, changes: { model: string; stream: boolean }): Uint8Array;
  /** A stream record that carries usage and nothing else. */
  isUsageOnly(dialect: DialectName, data: string): boolean;
}

/** Models that run in this process, loaded for the snapshots that serve. */
export interface ModelHost {
  /** The model, or why it is not there. */
  get(model: Extract<Model, { type: "runtime" }>): LoadedModel | { failed: string };
}
