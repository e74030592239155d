/** A Markdown source cut into passages: front matter, headings, and runs of blocks with exact offsets. */
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { sentencesOf, type Span } from "./sentences.ts";

const frontMatter = z.strictObject({
  title: z.string().min(1).optional(),
  /** When a person last confirmed the content, as YYYY-MM-DD. */
  reviewed: z.iso.date().optional(),
  /** Who may read it. A source without groups is public. */
  groups: z.array(z.string().min(1)).min(1).optional(),
});

export interface Source {
  title: string;
  reviewed?: string;
  groups: readonly string[];
  sections: Section[];
}

interface Section extends Span {
  /** The headings that stand over it, outermost first. */
  headings: readonly string[];
}

/** Blocks are joined up to about this length, and a longer block is cut between sentences. */
const wantedLength = 700;
const longestBlock = 1_400;

/** Throws an Error with path, line and column for front matter that says something this folder does not understand. */
export function readSource(path: string, text: string): Source {
  const { data, bodyStart } = readFrontMatter(path, text);
  const { sections, firstHeading } = sectionsOf(text, bodyStart);
  return {
    title: data.title ?? firstHeading ?? path.replace(/^.*\//, "").replace(/\.[^.]+$/, ""),
    ...(data.reviewed === undefined ? {} : { reviewed: data.reviewed }),
    groups: data.groups ?? ["public"],
    sections,
  };
}

function readFrontMatter(path: string, text: string): { data: z.infer<typeof frontMatter>; bodyStart: number } {
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(text);
  if (opening === null) return { data: {}, bodyStart: 0 };
  const start = opening[0].length;
  const closing = /^---[ \t]*(?:\r?\n|$)/m.exec(text.slice(start));
  if (closing === null) throw new Error(`${path}: line 1: the front matter has no closing ---`);
  const counter = new LineCounter();
  const document = parseDocument(text.slice(start, start + closing.index), { lineCounter: counter });
  const place = (offset: number) => {
    const { line, col } = counter.linePos(offset);
    return `${path}: line ${line + 1}, column ${col}`;
  };
  const bad = document.errors[0];
  if (bad !== undefined) throw new Error(`${place(bad.pos[0])}: ${bad.message.split("\n")[0]}`);
  const parsed = frontMatter.safeParse(document.toJS() ?? {});
  if (parsed.success) return { data: parsed.data, bodyStart: start + closing.index + closing[0].length };
  const issue = parsed.error.issues[0]!;
  const said =
    issue.code === "unrecognized_keys"
      ? `unknown key ${issue.keys.join(", ")}; front matter knows title, reviewed and groups`
      : `${issue.path.join(".")}: ${issue.message}`;
  throw new Error(`${path}: front matter: ${said}`);
}

interface Block extends Span {
  heading?: { depth: number; text: string };
}

function sectionsOf(text: string, bodyStart: number): { sections: Section[]; firstHeading: string | undefined } {
  const sections: Section[] = [];
  const headings: string[] = [];
  let firstHeading: string | undefined;
  let open: Section | undefined;
  for (const block of blocksOf(text, bodyStart)) {
    if (block.heading) {
      firstHeading ??= block.heading.text;
      headings.length = Math.min(headings.length, block.heading.depth - 1);
      headings.push(block.heading.text);
      open = undefined;
    } else if (open !== undefined && block.end - open.start <= wantedLength) open.end = block.end;
    else for (const span of cut(text, block)) sections.push((open = { ...span, headings: [...headings] }));
  }
  return { sections, firstHeading };
}

/** Blocks are separated by blank lines and headings; inside a code fence neither counts. */
function blocksOf(text: string, bodyStart: number): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  let fence: string | undefined;
  let offset = bodyStart;
  for (const line of text.slice(bodyStart).split(/(?<=\n)/)) {
    const bare = line.trim();
    const end = offset + line.trimEnd().length;
    const mark = /^(?:```+|~~~+)/.exec(bare)?.[0].slice(0, 3);
    const heading = fence === undefined ? /^(#{1,6})\s+(.+?)\s*#*$/.exec(bare) : null;
    if (mark !== undefined && (fence === undefined || fence === mark)) fence = fence === undefined ? mark : undefined;
    if (heading) {
      blocks.push({ start: offset, end, heading: { depth: heading[1]!.length, text: heading[2]! } });
      open = undefined;
    } else if (bare === "" && fence === undefined) open = undefined;
    else if (bare !== "" && open === undefined) {
      const indent = line.length - line.trimStart().length;
      blocks.push((open = { start: offset + indent, end }));
    } else if (bare !== "" && open !== undefined) open.end = end;
    offset += line.length;
  }
  return blocks;
}

function cut(text: string, block: Span): Span[] {
  if (block.end - block.start <= longestBlock) return [{ start: block.start, end: block.end }];
  const spans: Span[] = [];
  for (const sentence of sentencesOf(text.slice(block.start, block.end)).flatMap((span) =>
    bounded(text, block, span),
  )) {
    const last = spans.at(-1);
    if (last !== undefined && sentence.end - last.start <= wantedLength) last.end = sentence.end;
    else spans.push(sentence);
  }
  return spans;
}

/** Listings and other text without full stops are cut between words, or where there are none, anywhere. */
function bounded(text: string, block: Span, sentence: Span): Span[] {
  const pieces: Span[] = [];
  const end = block.start + sentence.end;
  let start = block.start + sentence.start;
  while (end - start > longestBlock) {
    const space = text.slice(start, start + longestBlock).search(/\s\S*$/);
    const stop = start + (space > 0 ? space : longestBlock);
    pieces.push({ start, end: stop });
    start = stop;
    while (start < end && /\s/.test(text[start]!)) start++;
  }
  if (start < end) pieces.push({ start, end });
  return pieces;
}
