/** What is fuzzed: one reader each, with its seeds and its oracle. Inputs are bytes and a salt, so any of them can be kept and replayed. */
export interface Target {
  /** `<dialect>/<what>`, e.g. `openai-chat/stream`. */
  name: string;
  /** Report and workers are by subject: the dialect. */
  subject: string;
  /** How inputs are changed: as JSON text, as a stream of records, or as bytes only. */
  shape: "json" | "stream";
  /** Good inputs first; at least one. */
  seeds: readonly Uint8Array[];
  /** Records of a stream, where it can be read, to change them one by one. */
  recordsOf?(bytes: Uint8Array): { event: string; data: string }[] | undefined;
  streamType?: string;
  /** Throws `Broken` where an oracle doesn't hold; anything else that it throws is a finding as well. */
  check(bytes: Uint8Array, salt: number): void;
}

/** An oracle was broken; `rule` is stable. */
export class Broken extends Error {
  readonly rule: string;
  constructor(rule: string, detail: string) {
    super(detail);
    this.name = "Broken";
    this.rule = rule;
  }
}

export function demand(holds: boolean, rule: string, detail: () => string): void {
  if (!holds) throw new Broken(rule, detail());
}
