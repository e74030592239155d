import type { Clock } from "../../kernel/clock.ts";

/** What of the file port is needed here; `stores/files` fits. */
interface SecretFiles {
  read(path: string): Promise<Uint8Array | undefined>;
  replace(path: string, bytes: Uint8Array, options: { mode: number; onlyIfAbsent: boolean }): Promise<boolean>;
}

/** The HMAC key of API key secrets: 32 random bytes in a file that only its owner reads; made when absent. */
export async function openPepper(files: SecretFiles, clock: Clock, path: string): Promise<Uint8Array> {
  const fresh = Buffer.from(`${Buffer.from(clock.randomBytes(32)).toString("base64")}\n`);
  await files.replace(path, fresh, { mode: 0o600, onlyIfAbsent: true });
  const text = Buffer.from((await files.read(path)) ?? new Uint8Array()).toString("utf8");
  const bytes = Buffer.from(text.trim(), "base64");
  if (bytes.length !== 32) throw new Error(`${path} must hold 32 bytes in base64: restore it from your backup`);
  return bytes;
}
