/** The files that a configuration names: on disk, in memory, or as blobs of an applied snapshot. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";

/** Paths are relative to the folder of the main file, with `/`, and may lead out of it. */
export interface ConfigFiles {
  /** Undefined where there is no such file; throws where it cannot be read. */
  read(path: string): Uint8Array | undefined;
  /** Paths (as `read` takes them) of the files below a folder, sorted; undefined where there is no such folder. */
  list(folder: string): readonly string[] | undefined;
  /** Files in the folder of `path`, for suggestions. */
  neighbours(path: string): readonly string[];
}

export function diskFiles(root: string): ConfigFiles {
  return {
    read(path) {
      try {
        return readFileSync(resolve(root, path));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    list(folder) {
      try {
        const entries = readdirSync(resolve(root, folder), { recursive: true, withFileTypes: true });
        const top = resolve(root, folder);
        return entries
          .filter((entry) => entry.isFile())
          .map((entry) =>
            posix.join(
              folder,
              join(entry.parentPath, entry.name)
                .slice(top.length + 1)
                .replaceAll("\\", "/"),
            ),
          )
          .toSorted();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    neighbours(path) {
      const folder = posix.dirname(path);
      try {
        const entries = readdirSync(resolve(root, folder), { withFileTypes: true });
        return entries.filter((entry) => entry.isFile()).map((entry) => posix.join(folder, entry.name));
      } catch {
        // A suggestion is a courtesy: where the folder can't be read there is none.
        return [];
      }
    },
  };
}

/** Files from a map: the simple twin, and the form in which applied snapshots are compiled again. */
export function mappedFiles(files: ReadonlyMap<string, Uint8Array>): ConfigFiles {
  return {
    read: (path) => files.get(path),
    list(folder) {
      const below = [...files.keys()].filter((path) => path.startsWith(`${folder}/`)).toSorted();
      return below.length > 0 ? below : undefined;
    },
    neighbours: (path) => [...files.keys()].filter((other) => posix.dirname(other) === posix.dirname(path)),
  };
}

/** `path` as it stands in a file of folder `base`, relative to the main file's folder. */
export const rebase = (base: string, path: string): string =>
  path.startsWith("/") ? posix.normalize(path) : posix.join(base, path);

export const sha256Hex = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");

const missing = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);
const isMissing = (error: unknown): boolean => missing.has((error as NodeJS.ErrnoException).code ?? "");
