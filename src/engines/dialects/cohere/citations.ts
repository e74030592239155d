/** Cohere marks places in its answer and names their sources; neutral citations mark places in the source. */
import type { Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";

/** Marks in thoughts and plans have no place in the answer, and are left out. */
export function citationsOf(value: unknown): Citation[] {
  const marks = Array.isArray(value) ? (value as unknown[]) : [value];
  return marks.flatMap((mark) => {
    if (!isFields(mark) || !isOfAnswer(mark["type"]) || !Array.isArray(mark["sources"])) return [];
    const text = textOr(mark["text"], "");
    return (mark["sources"] as unknown[]).flatMap((source) => (isFields(source) ? [citation(source, text)] : []));
  });
}

const isOfAnswer = (type: unknown): boolean => type === undefined || type === null || type === "TEXT_CONTENT";

/** What is cited is known, where it stands in its source is not: the offsets are 0. */
function citation(source: Fields, text: string): Citation {
  const document = isFields(source["document"]) ? source["document"] : {};
  const name = textOr(source["id"], "") || textOr(document["id"], "");
  return { source: textOr(document["url"], "") || name, title: textOr(document["title"], ""), start: 0, end: 0, text };
}
