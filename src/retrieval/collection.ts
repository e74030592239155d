/** Markdown sources as a searchable collection, ranked by BM25+ among the passages that the caller may read. */
import { createHash } from "node:crypto";
import MiniSearch from "minisearch";
import type { ArtifactRef } from "../kernel/snapshot.ts";
import { readSource } from "./markdown.ts";
import type { Collection, Passage } from "./port.ts";
import { wordsOf } from "./words.ts";

export type SourceFile = Pick<ArtifactRef, "path" | "bytes">;

interface Entry extends Omit<Passage, "score"> {
  id: number;
}

/** Sets of groups whose indexes are kept; callers beyond that pay for building one. */
const maxIndexes = 16;
const maxPassages = 50;

/** Throws an Error that names file and line for a source that cannot be read. */
export function openCollection(name: string, files: readonly SourceFile[]): Collection {
  const sources = files
    .map((file) => ({ path: file.path, bytes: file.bytes() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const twin = sources.find(({ path }, index) => path === sources[index + 1]?.path);
  if (twin !== undefined) throw new Error(`${twin.path}: the collection ${name} names this file twice`);
  const entries = sources.flatMap(({ path, bytes }) => entriesOf(path, bytes)).map((entry, id) => ({ id, ...entry }));
  const used = new Set(entries.flatMap((entry) => entry.groups));
  const indexes = new Map<string, MiniSearch<Entry>>();

  // One index for each set of readable groups: how often a word occurs in hidden passages would show in every score.
  function indexFor(groups: readonly string[]): MiniSearch<Entry> {
    const mine = new Set([...groups, "public"].filter((group) => used.has(group)));
    const key = JSON.stringify([...mine].sort());
    const index =
      indexes.get(key) ?? buildIndex(entries.filter((entry) => entry.groups.some((group) => mine.has(group))));
    indexes.delete(key);
    indexes.set(key, index);
    if (indexes.size > maxIndexes) indexes.delete(indexes.keys().next().value!);
    return index;
  }

  // What everybody may read is asked for most; its index is built while loading, not in the first request.
  indexFor([]);
  return {
    name,
    generation: generationOf(sources),
    size: entries.length,
    search(query, count, groups) {
      const found = indexFor(groups).search(query);
      const ranked = found.sort((a, b) => b.score - a.score || (a.id as number) - (b.id as number));
      return ranked.slice(0, Math.min(Math.max(0, count), maxPassages)).map(({ id, score }) => {
        const { id: _id, ...entry } = entries[id as number]!;
        return { ...entry, score };
      });
    },
  };
}

function buildIndex(entries: readonly Entry[]): MiniSearch<Entry> {
  const index = new MiniSearch<Entry>({
    fields: ["title", "text"],
    tokenize: wordsOf,
    processTerm: (term) => term,
    searchOptions: { combineWith: "OR", boost: { title: 1.5 } },
  });
  index.addAll(entries);
  return index;
}

function entriesOf(path: string, bytes: Uint8Array): Omit<Entry, "id">[] {
  const text = decode(path, bytes);
  const source = readSource(path, text);
  return source.sections.map(({ start, end, headings }) => ({
    source: path,
    title: [source.title, ...headings.filter((heading) => heading !== source.title)].join(" › "),
    text: text.slice(start, end),
    start,
    end,
    groups: source.groups,
    ...(source.reviewed === undefined ? {} : { reviewed: source.reviewed }),
  }));
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    // A byte order mark stays: offsets count from the first character that a plain reader of the file sees.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new Error(`${path}: not UTF-8 text; save it as UTF-8`, { cause: error });
  }
}

/** Lengths stand before names and contents, so that no two collections share a digest by shifting bytes between them. */
function generationOf(sources: readonly { path: string; bytes: Uint8Array }[]): string {
  const hash = createHash("sha256");
  for (const { path, bytes } of sources) {
    hash.update(`${Buffer.byteLength(path)}:${path}:${bytes.length}:`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}
