/** Gemini marks places in its answer and names where they come from; neutral citations mark places in the source. */
import type { Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";

/** What is cited is known, where it stands in its source is not: the offsets are 0. */
export function citationsOf(candidate: Fields): Citation[] {
  return [...groundedIn(candidate["groundingMetadata"]), ...recitedFrom(candidate["citationMetadata"])];
}

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? (value as unknown[]).filter(isFields) : []);

function groundedIn(metadata: unknown): Citation[] {
  if (!isFields(metadata) || !Array.isArray(metadata["groundingChunks"])) return [];
  const chunks = metadata["groundingChunks"] as unknown[];
  return listOf(metadata["groundingSupports"]).flatMap((support) => {
    const text = isFields(support["segment"]) ? textOr(support["segment"]["text"], "") : "";
    const indices = Array.isArray(support["groundingChunkIndices"]) ? support["groundingChunkIndices"] : [];
    return (indices as unknown[]).flatMap((index) => {
      const chunk = typeof index === "number" ? chunks[index] : undefined;
      const source = isFields(chunk) ? (chunk["web"] ?? chunk["retrievedContext"] ?? chunk["maps"]) : undefined;
      return isFields(source) ? [citation(source, text)] : [];
    });
  });
}

/** The Gemini API and Vertex call the same list by different names. */
const recitedFrom = (metadata: unknown): Citation[] =>
  isFields(metadata)
    ? listOf(metadata["citationSources"] ?? metadata["citations"]).map((source) => citation(source, ""))
    : [];

const citation = (source: Fields, text: string): Citation => ({
  source: textOr(source["uri"], ""),
  title: textOr(source["title"], ""),
  start: 0,
  end: 0,
  text,
});
