/** A key-encryption key in a file: for the example and tests. A key beside the data protects against lost backups only. */
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { FilePort } from "../stores/files/port.ts";
import { LedgerError } from "./errors.ts";
import type { KekPort } from "./port.ts";

const ivBytes = 12;
const tagBytes = 16;

/** AES-256-GCM: iv ‖ ciphertext ‖ tag. `context` must be the same when opened: it stops swapping of sealed values. */
export function seal(secret: Uint8Array, plain: Uint8Array, context: string, iv: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", secret, iv);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when key, context or any bit differs. */
export function unseal(secret: Uint8Array, sealed: Uint8Array, context: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", secret, sealed.subarray(0, ivBytes));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(ivBytes, sealed.length - tagBytes)), decipher.final()]);
}

export const sealRoom = ivBytes + tagBytes;

/** The text of a secret file, made with mode 0600 when absent; of two processes that make it, both get the first one's. */
export async function readOrMake(files: FilePort, path: string, make: () => string): Promise<string> {
  const there = await files.read(path);
  if (!there) await files.replace(path, Buffer.from(make()), { mode: 0o600, onlyIfAbsent: true });
  return new TextDecoder().decode(there ?? (await files.read(path))).trim();
}

/** Opens the key file, or makes it with mode 0600 when absent. */
export async function openFileKek(options: { files: FilePort; clock: Clock; path: string }): Promise<KekPort> {
  const { files, clock, path } = options;
  const text = await readOrMake(files, path, () => `${Buffer.from(clock.randomBytes(32)).toString("base64")}\n`);
  const secret = Buffer.from(text, "base64");
  if (secret.length !== 32)
    throw new LedgerError(
      "ledger_key_unavailable",
      `${path} must hold 32 bytes in base64: restore it from your backup`,
    );
  const id = `file-${createHash("sha256").update("weir kek id\0").update(secret).digest("hex").slice(0, 12)}`;
  return {
    id,
    wrap: async (plain) => seal(secret, plain, `weir-kek/${id}`, clock.randomBytes(ivBytes)),
    unwrap: async (wrapped) => unseal(secret, wrapped, `weir-kek/${id}`),
  };
}
