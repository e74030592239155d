/** Faults of the ledger. `record_unavailable` is the only one a running service meets; the others stop a start. */
export type LedgerErrorCode =
  | "record_unavailable"
  | "ledger_locked"
  | "ledger_corrupt"
  | "ledger_behind_checkpoint"
  | "ledger_rewritten"
  | "ledger_signer_changed"
  | "ledger_key_unavailable"
  | "ledger_not_found"
  | "ledger_not_sealed"
  | "ledger_invalid";

export class LedgerError extends Error {
  readonly code: LedgerErrorCode;
  constructor(code: LedgerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LedgerError";
    this.code = code;
  }
}
