/**
 * Checks a proof bundle with nothing but WebCrypto: the console and `weir verify` run the same code. A bundle shows that
 * its entries, and the content that it discloses, stand in the log whose checkpoint the key signed.
 */
import { noteParts, type NoteParts } from "./note.ts";

export interface ProofEntry {
  /** Leaf index, the entry's `seq`. */
  index: number;
  /** The exact metadata text that the leaf commits to. */
  metadata: string;
  /** Base64 hashes, bottom-up (RFC 6962 audit path). */
  inclusion: string[];
  /** Discloses this entry's content and nothing of its neighbours'; base64 salt, exact JSON text. */
  content?: { salt: string; json: string };
}

export interface ProofBundle {
  weir_proof: 1;
  /** The signed checkpoint (C2SP signed note). */
  checkpoint: string;
  /** The log's verifier key as the store states it: compare it with one from elsewhere. */
  key: string;
  entries: ProofEntry[];
}

type ProofFindingCode =
  | "bundle_malformed"
  | "checkpoint_malformed"
  | "key_malformed"
  | "signature_wrong"
  | "signature_unsupported"
  | "key_not_trusted"
  | "inclusion_wrong"
  | "entry_malformed"
  | "content_wrong"
  | "content_closed";

export interface ProofFinding {
  code: ProofFindingCode;
  severity: "error" | "warning" | "note";
  where: string;
  message: string;
}

export interface ProofCheck {
  /** No errors. Says nothing about who signed unless `trusted`. */
  ok: boolean;
  /** Whether the signature was checked with a key that the caller brought. */
  trusted: boolean;
  findings: ProofFinding[];
  checkpoint?: { origin: string; size: number; root: string; at_ms: number };
  /** How many entries were proven, and of how many the content as well. */
  proven: number;
  disclosed: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

function fromBase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function joined(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const leafHash = (metadata: string): Promise<Bytes> => sha256(joined(Uint8Array.of(0), utf8(metadata)));
const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Bytes> => sha256(joined(Uint8Array.of(1), left, right));

const parents = (fn: number, sn: number): [number, number] => [Math.floor(fn / 2), Math.floor(sn / 2)];

/** RFC 9162 §2.1.3.2: the root that leaf and path lead to; undefined when the path has the wrong length. */
async function rootFrom(leaf: Bytes, index: number, size: number, path: readonly Bytes[]): Promise<Bytes | undefined> {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) return undefined;
  let at = leaf;
  let [fn, sn] = [index, size - 1];
  for (const sibling of path) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      at = await nodeHash(sibling, at);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = parents(fn, sn);
    } else at = await nodeHash(at, sibling);
    [fn, sn] = parents(fn, sn);
  }
  return sn === 0 ? at : undefined;
}

/** The raw key of a C2SP verifier key (`name+hash+base64`) or of bare base64. */
function rawKey(text: string): Bytes | undefined {
  const parts = /^.+\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const bytes = fromBase64(parts ? parts[1]! : text.trim());
  const key = parts && bytes?.[0] === 1 ? bytes.slice(1) : bytes;
  return key?.length === 32 ? key : undefined;
}

class Check {
  readonly findings: ProofFinding[] = [];
  add(code: ProofFindingCode, where: string, message: string, severity: ProofFinding["severity"] = "error"): void {
    this.findings.push({ code, severity, where, message });
  }
}

async function checkSignature(check: Check, note: NoteParts, key: string): Promise<void> {
  const raw = rawKey(key);
  if (!raw) return check.add("key_malformed", "key", "expected <name>+<8 hex>+<base64> or 32 bytes in base64");
  const keyHash = hexOf((await sha256(joined(utf8(`${note.origin}\n`), Uint8Array.of(1), raw))).slice(0, 4));
  for (const { name, encoded } of note.signatures) {
    const bytes = fromBase64(encoded);
    if (name !== note.origin || !bytes || hexOf(bytes.slice(0, 4)) !== keyHash) continue;
    try {
      const imported = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
      if (await crypto.subtle.verify("Ed25519", imported, bytes.slice(4), utf8(note.text))) return;
    } catch (error) {
      return check.add(
        "signature_unsupported",
        "checkpoint",
        `this browser can't check Ed25519: ${(error as Error).message}`,
      );
    }
  }
  check.add("signature_wrong", "checkpoint", "the key did not sign this checkpoint");
}

async function macOf(salt: Bytes, json: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", salt, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return hexOf(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(json))));
}

async function checkContent(check: Check, entry: ProofEntry, where: string): Promise<boolean> {
  const committed = (JSON.parse(entry.metadata) as { content?: { mac?: unknown } }).content;
  if (!entry.content) {
    if (committed) check.add("content_closed", where, "its content is not disclosed", "note");
    return false;
  }
  const salt = fromBase64(entry.content.salt);
  if (salt?.length === 16 && committed?.mac === (await macOf(salt, entry.content.json))) return true;
  check.add("content_wrong", where, "the disclosed content is not what the entry commits to");
  return false;
}

async function checkEntry(
  check: Check,
  entry: ProofEntry,
  note: NoteParts,
): Promise<{ disclosed: boolean } | undefined> {
  const where = `entry ${entry.index}`;
  const path = entry.inclusion.map(fromBase64);
  const whole = path.every((hash) => hash?.length === 32);
  const root = whole && (await rootFrom(await leafHash(entry.metadata), entry.index, note.size, path as Bytes[]));
  if (!root || hexOf(root) !== hexOf(fromBase64(note.root)!)) {
    check.add("inclusion_wrong", where, "its metadata does not lead to the checkpoint's root");
    return undefined;
  }
  let seq: unknown;
  try {
    seq = (JSON.parse(entry.metadata) as { seq?: unknown }).seq;
  } catch {
    seq = undefined;
  }
  if (seq !== entry.index) {
    check.add("entry_malformed", where, "its metadata names another sequence");
    return undefined;
  }
  return { disclosed: await checkContent(check, entry, where) };
}

const isEntry = (entry: Partial<ProofEntry> | null): boolean =>
  typeof entry?.index === "number" &&
  typeof entry.metadata === "string" &&
  Array.isArray(entry.inclusion) &&
  entry.inclusion.every((hash) => typeof hash === "string") &&
  (entry.content === undefined || (typeof entry.content?.salt === "string" && typeof entry.content.json === "string"));

const isBundle = (value: unknown): value is ProofBundle => {
  const bundle = value as Partial<ProofBundle> | null;
  return (
    bundle?.weir_proof === 1 &&
    typeof bundle.checkpoint === "string" &&
    typeof bundle.key === "string" &&
    Array.isArray(bundle.entries) &&
    bundle.entries.length > 0 &&
    bundle.entries.every(isEntry)
  );
};

/** Never throws for what a bundle holds. `trustedKey`: a verifier key or base64 key obtained elsewhere. */
export async function checkProof(bundle: unknown, trustedKey?: string): Promise<ProofCheck> {
  const check = new Check();
  const trusted = trustedKey !== undefined;
  const result = (proven: number, disclosed: number, note?: NoteParts): ProofCheck => ({
    ok: check.findings.every(({ severity }) => severity !== "error"),
    trusted,
    findings: check.findings,
    ...(note && { checkpoint: { origin: note.origin, size: note.size, root: note.root, at_ms: note.atMs } }),
    proven,
    disclosed,
  });
  if (!isBundle(bundle)) {
    check.add("bundle_malformed", "bundle", "expected weir_proof 1 with checkpoint, key and at least one entry");
    return result(0, 0);
  }
  const note = noteParts(bundle.checkpoint);
  if (!note) {
    check.add("checkpoint_malformed", "checkpoint", "it is no signed note of a log");
    return result(0, 0);
  }
  if (!trusted)
    check.add("key_not_trusted", "key", "the bundle's own key was used: compare it with one from elsewhere", "warning");
  await checkSignature(check, note, trustedKey ?? bundle.key);
  let proven = 0;
  let disclosed = 0;
  for (const entry of bundle.entries) {
    const checked = await checkEntry(check, entry, note);
    if (!checked) continue;
    proven++;
    if (checked.disclosed) disclosed++;
  }
  return result(proven, disclosed, note);
}
