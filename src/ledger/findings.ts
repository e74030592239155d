/** What a verification found. Codes are stable; each names one kind of damage. */
const findingCodes = {
  segment_missing: "a segment file between the first and the last is not there",
  segment_header_damaged: "a segment does not start with a whole header",
  segment_header_differs: "a header does not agree with the entries before it",
  segment_end_differs: "a segment does not end as the next one's header says",
  frame_damaged: "bytes within a segment are no frame",
  torn_tail: "the last bytes of a file are no whole frame: torn by a crash, or damaged",
  entry_malformed: "an entry is not what a journal writes",
  sequence_gap: "entries are missing, doubled or out of order",
  tenant_gap: "a tenant's entries are missing, doubled or out of order",
  settled_twice: "a decision has two settled entries",
  settled_without_begun: "a decision was settled without having begun, and not as a refusal before that",
  attempt_outside_decision: "an attempt belongs to no open decision",
  begun_never_settled: "a decision was begun and never settled",
  content_damaged: "sealed content is not what its entry commits to",
  key_missing: "an entry names a content key that is in no keys.log, neither live nor destroyed",
  keys_damaged: "a keys.log has damaged bytes",
  ring_damaged: "ring.json is missing or damaged",
  tile_missing: "a tile of the sealed tree is not there",
  tile_damaged: "a tile does not hold the tree's hashes",
  tile_unexpected: "a tile that the tree does not have",
  checkpoint_missing: "tiles exist, but no checkpoint",
  checkpoint_damaged: "the checkpoint is no signed note",
  checkpoint_signature: "the checkpoint is not signed by the expected key",
  verifier_key_differs: "log.pub is not the expected key",
  rewritten: "entries were changed, or another log was signed: the root differs from a checkpoint",
  truncated: "the store ends before its own checkpoint",
  rolled_back: "the store ends before a checkpoint that was saved elsewhere",
  resigned: "the store is signed by another key than a checkpoint that was saved elsewhere",
  saved_invalid: "a saved checkpoint is not readable or not signed by the expected key",
  node_missing: "a saved checkpoint is of a log that the store does not have",
  checkpoint_unchecked: "damage before a checkpoint prevents the comparison with its root",
  key_not_trusted: "no public key was given: the store's own was used, which proves nothing to others",
  not_yet_sealed: "entries after the last checkpoint: checked for damage, not yet proven",
} as const;
export type FindingCode = keyof typeof findingCodes;

export interface Finding {
  code: FindingCode;
  /** Only errors make a store not ok. */
  severity: "error" | "warning" | "note";
  where: string;
  message: string;
}

export class Findings {
  readonly all: Finding[] = [];
  add(code: FindingCode, where: string, detail?: string, severity: Finding["severity"] = "error"): void {
    const message = detail === undefined ? findingCodes[code] : `${findingCodes[code]}: ${detail}`;
    this.all.push({ code, severity, where, message });
  }
  get ok(): boolean {
    return this.all.every(({ severity }) => severity !== "error");
  }
}
