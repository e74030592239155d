/** The only reader of `process.env` and of secret files. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { SecretSource } from "./compile-targets.ts";

export interface WeirEnvironment {
  /** Where journal, keys, projection and snapshots live: WEIR_DATA_DIR, default `.weir`. */
  dataDir: string;
  /** The main configuration file: WEIR_CONFIG, default `weir.yaml`. */
  configFile: string;
  /** File of the key-encryption key: WEIR_KEY_FILE; default: inside the data directory, fit for examples only. */
  keyFile: string | undefined;
  /** WEIR_API_KEY: what `weir traffic` authenticates with. */
  apiKey: string | undefined;
  /** False where NO_COLOR is set to anything (no-color.org). */
  color: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

export function readEnvironment(variables: Variables = process.env): WeirEnvironment {
  const value = (name: string) => variables[name]?.trim() || undefined;
  return {
    dataDir: value("WEIR_DATA_DIR") ?? ".weir",
    configFile: value("WEIR_CONFIG") ?? "weir.yaml",
    keyFile: value("WEIR_KEY_FILE"),
    apiKey: value("WEIR_API_KEY"),
    color: value("NO_COLOR") === undefined,
  };
}

/** Secrets from the environment, and from files relative to the configuration's folder. */
export function processSecrets(root: string, variables: Variables = process.env): SecretSource {
  return {
    env: (name) => variables[name],
    file(path) {
      try {
        return readFileSync(resolve(root, path), "utf8");
      } catch {
        // A secret that cannot be read is reported like one that is not there; the reason may name more than it should.
        return undefined;
      }
    },
  };
}

/** Where what a server keeps lies; folders end without a slash. */
export interface DataPaths {
  /** Folder of journal, tree and key log. */
  ledger: string;
  /** SQLite file that is folded from the journal; may be deleted while no server runs. */
  projection: string;
  /** SQLite file of keys and operators. */
  control: string;
  /** Private key that signs checkpoints. */
  signer: string;
  /** Key of the digests of credentials and bodies. */
  pepper: string;
  /** Key that encrypts all content keys. */
  keyEncryption: string;
}

export function dataPaths(dataDir: string, keyFile?: string): DataPaths {
  return {
    ledger: join(dataDir, "ledger"),
    projection: join(dataDir, "projection.sqlite"),
    control: join(dataDir, "control.sqlite"),
    signer: join(dataDir, "keys", "signer.key"),
    pepper: join(dataDir, "keys", "pepper.key"),
    keyEncryption: keyFile ?? join(dataDir, "keys", "key-encryption.key"),
  };
}
