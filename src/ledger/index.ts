/**
 * The ledger: an append-only journal of entries, provable by a Merkle tree with signed checkpoints.
 * Decides order, durability, sealing and what counts as intact. Never decides what an entry means: metadata and content
 * are JSON that it keeps exactly as given; settling open decisions and folding entries is for others.
 */
export { openFileSigner, parseCheckpoint, publicKeyOf, signerOf, verifierKey } from "./checkpoint.ts";
export { openContent } from "./content.ts";
export { LedgerError, type LedgerErrorCode } from "./errors.ts";
export { openJournal, type JournalOptions } from "./journal.ts";
export { openFileKek } from "./key-encryption.ts";
export { openKeyRing } from "./keys.ts";
export type * from "./port.ts";
export { leafHash } from "./merkle.ts";
export { buildProof, type ProofOptions } from "./proof.ts";
export { checkProof, type ProofBundle, type ProofCheck, type ProofEntry, type ProofFinding } from "./proof-check.ts";
export { findDecision, readBatches, readEntries, readEntryAt, readEntryBySeq, type ReadOptions } from "./read.ts";
export { fileSink } from "./sinks.ts";
export { findingCodes, type Finding, type FindingCode } from "./findings.ts";
export { verifyStore, type Verification, type VerifiedNode, type VerifyOptions } from "./verify.ts";
