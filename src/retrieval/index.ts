/**
 * Decides which passages of a use case's own sources a question meets, ranked by BM25 among those that the caller may
 * read. It never calls a model, never reads the file system, and never lets a hidden passage show, not even in a score.
 */
export { openCollection, type SourceFile } from "./collection.ts";
export type { Collection, Passage } from "./port.ts";
export { sentencesOf, type Span } from "./sentences.ts";
export { wordsOf } from "./words.ts";
