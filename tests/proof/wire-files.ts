/** Recorded traffic as seeds, read in place from ../shared/data/wire beside the repository; without it only what the dialects write themselves. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const wire = resolve(import.meta.dirname, "../../../shared/data/wire");

export const wirePresent = existsSync(wire);

export interface WireFile {
  /** Relative to the recordings' root, e.g. `response/anthropic/basic.json`. */
  name: string;
  bytes: Buffer;
}

export function wireFiles(): WireFile[] {
  if (!wirePresent) return [];
  return readdirSync(wire, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: path.slice(wire.length + 1), bytes: readFileSync(path) }));
}
