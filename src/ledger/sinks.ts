/** Checkpoints kept outside the data directory: one file per log, each note appended and synced. */
import type { FilePort } from "../stores/files/port.ts";
import { LedgerError } from "./errors.ts";
import type { CheckpointSink } from "./port.ts";

const fileOf = (folder: string, origin: string): string => `${folder}/${origin.replaceAll("/", "~")}.notes`;

// Exact to the last character: a note that a crash tore must not be taken for a forged one.
const wholeNote = /[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\nweir-at \d+\n\n— \S+ [A-Za-z0-9+/]{91}=\n/g;
const notesOf = (text: string): string[] => text.match(wholeNote) ?? [];

async function readSink(files: FilePort, folder: string, origin: string): Promise<string | undefined> {
  const bytes = await files.read(fileOf(folder, origin));
  return bytes && new TextDecoder().decode(bytes);
}

/** Everything that a folder of checkpoints holds, by log. */
export async function readSinkNotes(
  files: FilePort,
  folder: string,
): Promise<{ origin: string; path: string; notes: string[] }[]> {
  const logs = [];
  for (const { name } of await files.list(folder)) {
    if (!name.endsWith(".notes")) continue;
    const origin = name.slice(0, -".notes".length).replaceAll("~", "/");
    const notes = notesOf((await readSink(files, folder, origin)) ?? "");
    logs.push({ origin, path: fileOf(folder, origin), notes });
  }
  return logs;
}

export function fileSink(options: { files: FilePort; folder: string; name?: string }): CheckpointSink {
  const { files, folder } = options;
  let tail: Promise<void> = Promise.resolve();
  const append = async (origin: string, note: string): Promise<void> => {
    const file = await files.open(fileOf(folder, origin));
    try {
      // The leading newline sets a whole note apart from a torn one before it.
      await file.write(Buffer.from(`\n${note}`), await file.size());
      await file.datasync();
    } finally {
      await file.close();
    }
  };
  return {
    name: options.name ?? folder,
    publish({ origin, note }) {
      const run = tail.then(() => append(origin, note));
      tail = run.catch(() => {});
      return run.catch((cause: unknown) => {
        throw new LedgerError("record_unavailable", `${folder}: ${(cause as Error).message}`, cause);
      });
    },
    async latest(origin) {
      const text = await readSink(files, folder, origin);
      return text === undefined ? undefined : notesOf(text).at(-1);
    },
  };
}
