/**
 * The ledger: an append-only journal of entries, provable by a Merkle tree with signed checkpoints.
 * Decides order, durability, sealing and what counts as intact. Never decides what an entry means: metadata and content
 * are JSON that it keeps exactly as given; settling open decisions and folding entries is for others.
 */
export { openFileSigner, signerOf, verifierKey } from "./checkpoint.ts";
export { openContent } from "./content.ts";
export type { Finding } from "./findings.ts";
export { openJournal } from "./journal.ts";
export { openFileKek } from "./key-encryption.ts";
export { openKeyRing } from "./keys.ts";
export type * from "./port.ts";
export { checkProof, type ProofBundle } from "./proof-check.ts";
export { buildProof } from "./proof.ts";
export { findDecision, readEntries, readEntryAt, readEntryBySeq, readForFold, type ReadOptions } from "./read.ts";
export { fileSink } from "./sinks.ts";
export { verifyStore, type Verification } from "./verify.ts";
