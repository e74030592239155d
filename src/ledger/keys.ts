/**
 * The content keys: one per subject, one per tenant and UTC day, each node's in its own append-only `keys.log`, wrapped
 * under the ring's root secret, which is wrapped under the key-encryption key in `ring.json`. Destroying a key rewrites
 * the file without it and leaves a tombstone.
 */
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { type Clock } from "../kernel/clock.ts";
import { randomToken } from "../kernel/ids.ts";
import type { FilePort } from "../stores/files/port.ts";
import { LedgerError } from "./errors.ts";
import { KeyLog, readKeyLog, type KeyRecord } from "./key-log.ts";
import { seal, unseal } from "./key-encryption.ts";
import { keysPath, lockPath, ringPath } from "./layout.ts";
import type { ContentKey, HeldKey, KekPort, KeyRing } from "./port.ts";

interface Known {
  node: string;
  record: KeyRecord;
  secret?: Uint8Array;
}

const dayMs = 86_400_000;
let lastDay = { number: 0, text: "1970-01-01" };

/** The last answer is kept: it is asked for every entry with content. */
function dayOf(atMs: number): string {
  const number = Math.floor(atMs / dayMs);
  if (number !== lastDay.number) lastDay = { number, text: new Date(number * dayMs).toISOString().slice(0, 10) };
  return lastDay.text;
}

const scopeOf = (tenant: string, owner: string): string => `${tenant}\u0000${owner}`;
const ownerOf = (key: ContentKey, atMs: number): string =>
  key.subject === undefined ? `day:${dayOf(atMs)}` : `subject:${key.subject}`;

/** RFC 4648 base 32 in lower case without padding: 26 characters carry 130 bits. */
function base32(bytes: Uint8Array, count: number): string {
  let bits = BigInt(`0x${Buffer.from(bytes).toString("hex")}`) >> BigInt(bytes.length * 8 - count * 5);
  let text = "";
  for (let i = 0; i < count; i++, bits >>= 5n) text = "abcdefghijklmnopqrstuvwxyz234567"[Number(bits & 31n)] + text;
  return text;
}

interface Ring {
  v: 1;
  kek: string;
  wrapped: string;
  digest: string;
}
const ringDigest = (kek: string, wrapped: string): string =>
  createHash("sha256").update(`${kek}\n${wrapped}`).digest("hex");

/** Undefined when it is not a whole ring file. */
export function parseRing(bytes: Uint8Array): Ring | undefined {
  try {
    const ring = JSON.parse(new TextDecoder().decode(bytes)) as Ring;
    const exact = JSON.stringify(ring) + "\n" === new TextDecoder().decode(bytes);
    return exact && ring.v === 1 && ring.digest === ringDigest(ring.kek, ring.wrapped) ? ring : undefined;
  } catch {
    return undefined;
  }
}

async function openRoot(files: FilePort, clock: Clock, dir: string, kek: KekPort): Promise<Uint8Array> {
  const path = ringPath(dir);
  let bytes = await files.read(path);
  if (!bytes) {
    const wrapped = Buffer.from(await kek.wrap(clock.randomBytes(32))).toString("base64");
    const ring: Ring = { v: 1, kek: kek.id, wrapped, digest: ringDigest(kek.id, wrapped) };
    await files.replace(path, Buffer.from(`${JSON.stringify(ring)}\n`), { mode: 0o600, onlyIfAbsent: true });
    // Another process may have been first: what lies there now is the ring.
    bytes = (await files.read(path))!;
  }
  const ring = parseRing(bytes);
  if (!ring)
    throw new LedgerError("ledger_corrupt", `${path} is damaged: restore it, without it no content can be read`);
  try {
    return await kek.unwrap(Buffer.from(ring.wrapped, "base64"));
  } catch (cause) {
    const message = `${path} was wrapped by key-encryption key ${ring.kek}, and ${kek.id} does not open it: configure that key`;
    throw new LedgerError("ledger_key_unavailable", message, cause);
  }
}

interface RingOptions {
  files: FilePort;
  clock: Clock;
  dir: string;
  node: string | undefined;
}

class FileKeyRing implements KeyRing {
  readonly #options: RingOptions;
  readonly #wrapSecret: Uint8Array;
  readonly #pseudonymSecret: Uint8Array;
  /** Undefined in a ring that only reads. */
  readonly #own: KeyLog | undefined;
  #prepared = false;
  readonly #byId = new Map<string, Known>();
  /** This node's live key of a scope: content that this node writes never uses another node's key. */
  readonly #current = new Map<string, string>();
  readonly #fresh: KeyRecord[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RingOptions, root: Uint8Array, own: KeyLog | undefined) {
    this.#options = options;
    this.#own = own;
    const derive = (purpose: string): Uint8Array => new Uint8Array(hkdfSync("sha256", root, "", `weir ${purpose}`, 32));
    this.#wrapSecret = derive("content keys");
    this.#pseudonymSecret = derive("subject pseudonyms");
    this.#learnOwn();
  }

  #learnOwn(): void {
    const { node } = this.#options;
    if (node !== undefined) for (const record of this.#own?.records.values() ?? []) this.#learn(node, record);
  }

  #learn(node: string, record: KeyRecord): void {
    const known = this.#byId.get(record.id);
    if (known && known.record.destroyed_at_ms === record.destroyed_at_ms) return;
    known?.secret?.fill(0);
    this.#byId.set(record.id, { node, record });
    const scope = scopeOf(record.tenant, record.owner);
    if (node !== this.#options.node) return;
    if (record.destroyed_at_ms === undefined) this.#current.set(scope, record.id);
    else if (this.#current.get(scope) === record.id) this.#current.delete(scope);
  }

  keyFor(key: ContentKey, atMs: number): HeldKey {
    const owner = ownerOf(key, atMs);
    const id = this.#current.get(scopeOf(key.tenant, owner)) ?? this.#make(key.tenant, owner, atMs);
    return { id, secret: this.#secretOf(this.#byId.get(id)!)! };
  }

  #make(tenant: string, owner: string, atMs: number): string {
    const { clock, node } = this.#options;
    if (node === undefined) throw new LedgerError("ledger_invalid", "this key ring only reads: open it for a node");
    const id = `key_${randomToken(clock, 20)}`;
    const secret = clock.randomBytes(32);
    const wrapped = seal(this.#wrapSecret, secret, `${id}\n${tenant}\n${owner}`, clock.randomBytes(12));
    const record: KeyRecord = { id, tenant, owner, at_ms: atMs, wrapped: wrapped.toString("base64") };
    this.#learn(node, record);
    this.#byId.get(id)!.secret = secret;
    this.#fresh.push(record);
    return id;
  }

  #secretOf(known: Known): Uint8Array | undefined {
    const { id, tenant, owner, wrapped } = known.record;
    if (wrapped === undefined) return undefined;
    known.secret ??= new Uint8Array(
      unseal(this.#wrapSecret, Buffer.from(wrapped, "base64"), `${id}\n${tenant}\n${owner}`),
    );
    return known.secret;
  }

  persist(): Promise<void> {
    if (this.#prepared && this.#fresh.length === 0) return this.#writing;
    return this.#serially(async () => {
      await this.#prepare();
      const fresh = [...this.#fresh];
      if (fresh.length === 0) return;
      await this.#own?.append(fresh);
      this.#fresh.splice(0, fresh.length);
    });
  }

  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    await this.#own?.prepare();
    this.#learnOwn();
    this.#prepared = true;
  }

  #serially(act: () => Promise<void>): Promise<void> {
    const run = this.#writing.then(act);
    // A failed write is its caller's to report and to retry; the next one must still get its turn.
    this.#writing = run.catch(() => {});
    return run;
  }

  async find(keyId: string): Promise<Uint8Array | "erased" | undefined> {
    if (!this.#byId.has(keyId) || this.#byId.get(keyId)!.node !== this.#options.node) await this.#readOthers();
    const known = this.#byId.get(keyId);
    return known && (this.#secretOf(known) ?? "erased");
  }

  /** Other nodes write their logs while we run: read again whenever the answer may lie there. */
  async #readOthers(): Promise<void> {
    const { files, dir, node } = this.#options;
    for (const { name, folder } of await files.list(dir)) {
      if (!folder || name === node) continue;
      const bytes = await files.read(keysPath(dir, name));
      if (bytes)
        for (const record of readKeyLog(bytes, keysPath(dir, name)).records.values()) this.#learn(name, record);
    }
  }

  async keysOf(key: Required<ContentKey>): Promise<string[]> {
    await this.#readOthers();
    const live = [...this.#byId.values()].filter(
      ({ record }) =>
        record.tenant === key.tenant && record.owner === `subject:${key.subject}` && record.wrapped !== undefined,
    );
    return live.map(({ record }) => record.id);
  }

  async destroy(keyId: string): Promise<void> {
    if (!this.#byId.has(keyId)) await this.#readOthers();
    const known = this.#byId.get(keyId);
    if (!known) throw new LedgerError("ledger_not_found", `no content key ${keyId} in ${this.#options.dir}`);
    if (known.node === this.#options.node) return this.#serially(() => this.#destroyOwn(keyId));
    await this.#destroyForeign(known.node, keyId);
  }

  async #destroyOwn(keyId: string): Promise<void> {
    await this.#prepare();
    const own = this.#own!;
    const fresh = [...this.#fresh];
    const record = await own.destroy(keyId, this.#options.clock.now(), fresh);
    // Not written when the key had been destroyed before.
    if (fresh.length > 0 && own.records.has(fresh[0]!.id)) this.#fresh.splice(0, fresh.length);
    this.#learn(this.#options.node!, record);
  }

  async #destroyForeign(node: string, keyId: string): Promise<void> {
    const { files, clock, dir } = this.#options;
    const lock = await files.lock(lockPath(dir, node)).catch((cause: unknown) => {
      throw new LedgerError("ledger_locked", `key ${keyId} belongs to the running node ${node}: erase it there`, cause);
    });
    try {
      const log = await KeyLog.open(files, keysPath(dir, node));
      await log.prepare();
      this.#learn(node, await log.destroy(keyId, clock.now(), []));
      await log.close();
    } finally {
      await lock.release();
    }
  }

  pseudonym(tenant: string, subjectRef: string): string {
    return base32(createHmac("sha256", this.#pseudonymSecret).update(`${tenant}\u0000${subjectRef}`).digest(), 26);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#own?.close();
  }
}

/**
 * `dir` is the ledger's folder. `node` is the one whose keys.log this process writes, under the lock that its journal
 * takes: open the ring before that journal, close it after. Without `node` the ring reads, and erases for nodes that are
 * not running.
 */
export async function openKeyRing(options: {
  files: FilePort;
  clock: Clock;
  dir: string;
  node?: string;
  kek: KekPort;
}): Promise<KeyRing> {
  const { files, clock, dir, node, kek } = options;
  const root = await openRoot(files, clock, dir, kek);
  const own = node === undefined ? undefined : await KeyLog.open(files, keysPath(dir, node));
  return new FileKeyRing({ files, clock, dir, node }, root, own);
}
