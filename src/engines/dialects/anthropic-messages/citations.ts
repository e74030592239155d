/** Anthropic's citations: places in a document are neutral ones; every other kind stays what it is, beside the text it marks. */
import type { ChatPart, Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";

type Native = Extract<ChatPart, { type: "native" }>;

/** The kind of native part that holds one citation of the text before it. */
const citationKind = "citation";

export const nativeCitation = (value: unknown): Native => ({
  type: "native",
  dialect: "anthropic-messages",
  kind: citationKind,
  value,
});

export function isNativeCitation(part: ChatPart): part is Native & { kind: typeof citationKind } {
  return part.type === "native" && part.dialect === "anthropic-messages" && part.kind === citationKind;
}

/** Pages, blocks and search results have no offsets; web results must be handed back with what only Anthropic can read. */
export function readCitation(value: unknown): Citation | Native | undefined {
  if (!isFields(value) || !isShallow(value)) return undefined;
  const { start_char_index: start, end_char_index: end } = value;
  if (value["type"] !== "char_location" || typeof start !== "number" || typeof end !== "number") {
    return nativeCitation(value);
  }
  const title = textOr(value["document_title"], "");
  const index = value["document_index"];
  const source = title || textOr(value["file_id"], "") || `document ${typeof index === "number" ? index : 0}`;
  return { source, title, start, end, text: textOr(value["cited_text"], "") };
}

export function encodeCitations(citations: readonly Citation[]): Fields[] {
  const sources = [...new Set(citations.map((citation) => citation.source))];
  return citations.map((citation) => ({
    type: "char_location",
    cited_text: citation.text,
    document_index: sources.indexOf(citation.source),
    document_title: citation.title,
    start_char_index: citation.start,
    end_char_index: citation.end,
    file_id: null,
  }));
}
