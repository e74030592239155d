/** C2SP tlog-checkpoint in a signed note: origin, size, root, our time line; then one Ed25519 signature line. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { FilePort } from "../stores/files/port.ts";
import { LedgerError } from "./errors.ts";
import { readOrMake } from "./key-encryption.ts";
import { noteParts } from "./note.ts";
import type { Signer } from "./port.ts";

export interface Checkpoint {
  origin: string;
  size: number;
  root: Buffer;
  atMs: number;
}
export interface SignedCheckpoint extends Checkpoint {
  note: string;
  /** What was signed. */
  text: string;
  signatures: { name: string; keyHash: string; signature: Buffer }[];
}

const ed25519 = 0x01;
const keyHashOf = (name: string, publicKey: Uint8Array): Buffer =>
  createHash("sha256")
    .update(`${name}\n`)
    .update(Buffer.from([ed25519]))
    .update(publicKey)
    .digest()
    .subarray(0, 4);

/** C2SP verifier key: `<name>+<key hash>+<base64 of type and key>`. */
export function verifierKey(origin: string, publicKey: Uint8Array): string {
  const typed = Buffer.concat([Buffer.from([ed25519]), publicKey]).toString("base64");
  return `${origin}+${keyHashOf(origin, publicKey).toString("hex")}+${typed}`;
}

/** The raw key of a verifier key, or of a bare 32-byte key in base64. */
export function publicKeyOf(text: string): Buffer {
  const trimmed = text.trim();
  const parts = /^(.+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(trimmed);
  const bytes = Buffer.from(parts ? parts[3]! : trimmed, "base64");
  const key = parts && bytes[0] === ed25519 ? bytes.subarray(1) : bytes;
  const named = !parts || keyHashOf(parts[1]!, key).toString("hex") === parts[2];
  if (key.length !== 32 || !named)
    throw new LedgerError(
      "ledger_invalid",
      `"${trimmed}" is no Ed25519 verifier key: expected <name>+<8 hex>+<base64>`,
    );
  return key;
}

export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  const { origin, size, root, atMs } = checkpoint;
  const text = `${origin}\n${size}\n${root.toString("base64")}\nweir-at ${atMs}\n`;
  const signature = Buffer.concat([keyHashOf(origin, signer.publicKey), signer.sign(Buffer.from(text))]);
  return `${text}\n— ${origin} ${signature.toString("base64")}\n`;
}

/** Undefined unless it is exactly such a note (any other spelling of it is treated as damage). */
export function parseCheckpoint(note: string): SignedCheckpoint | undefined {
  const parts = noteParts(note);
  if (!parts) return undefined;
  const root = Buffer.from(parts.root, "base64");
  const signatures = parts.signatures.map(({ name, encoded }) => {
    const bytes = Buffer.from(encoded, "base64");
    const exact = bytes.length > 4 && bytes.toString("base64") === encoded;
    return { name, keyHash: bytes.subarray(0, 4).toString("hex"), signature: bytes.subarray(4), exact };
  });
  if (root.toString("base64") !== parts.root || !signatures.every(({ exact }) => exact)) return undefined;
  return { note, text: parts.text, origin: parts.origin, size: parts.size, root, atMs: parts.atMs, signatures };
}

const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicKeyObject = (raw: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: "der", type: "spki" });

export function isSignedBy(checkpoint: SignedCheckpoint, publicKey: Uint8Array): boolean {
  const keyHash = keyHashOf(checkpoint.origin, publicKey).toString("hex");
  return checkpoint.signatures.some(
    (line) =>
      line.name === checkpoint.origin &&
      line.keyHash === keyHash &&
      verify(null, Buffer.from(checkpoint.text), publicKeyObject(publicKey), line.signature),
  );
}

export function signerOf(install: string, seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
  return { install, publicKey, sign: (message) => sign(null, message, privateKey) };
}

interface SigningKeyFile {
  install: string;
  ed25519_seed: string;
}

/** The installation's signing key from a file, made with mode 0600 when absent. Keep it off the data directory's disk. */
export async function openFileSigner(options: { files: FilePort; clock: Clock; path: string }): Promise<Signer> {
  const { files, clock, path } = options;
  const make = (): string => {
    const install = Buffer.from(clock.randomBytes(5)).toString("hex");
    const ed25519_seed = Buffer.from(clock.randomBytes(32)).toString("base64");
    return `${JSON.stringify({ install, ed25519_seed } satisfies SigningKeyFile)}\n`;
  };
  const text = await readOrMake(files, path, make);
  try {
    const { install, ed25519_seed } = JSON.parse(text) as SigningKeyFile;
    const seed = Buffer.from(ed25519_seed, "base64");
    if (/^[a-z0-9-]{1,40}$/.test(install) && seed.length === 32) return signerOf(install, seed);
  } catch {
    // Falls through: the cause may quote the key.
  }
  throw new LedgerError("ledger_key_unavailable", `${path} is no signing key file: restore it from your backup`);
}
