/** A passage of a source document, with offsets into the source file's text (UTF-16 code units, front matter included). */
export interface Passage {
  source: string;
  title: string;
  text: string;
  start: number;
  end: number;
  /** Groups of principals that may read it; `public` is everyone. */
  groups: readonly string[];
  /** When a person last confirmed the source, as YYYY-MM-DD. */
  reviewed?: string;
  score: number;
}

export interface Collection {
  name: string;
  /** SHA-256 over names and contents of all sources. */
  generation: string;
  size: number;
  /** The best `count` passages that a caller with `groups` may read, best first. Filtered before ranking, so that hidden passages leave no trace. */
  search(query: string, count: number, groups: readonly string[]): Passage[];
}
