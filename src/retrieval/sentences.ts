/** Where sentences begin and end in plain or Markdown text; list items, table rows and headings are sentences too. */

export interface Span {
  start: number;
  end: number;
}

// A full stop after these does not end a sentence, whatever follows.
const titles =
  /(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|no|nr|art|sec|vs|fig|approx|ca|cf|e\.g|i\.e|z\.b|d\.h|bzw|inkl|incl|abs)\.$/i;
// After these it does only where the next sentence begins with a capital letter.
const openEnded =
  /(?:^|[\s(])(?:etc|a\.m|p\.m|inc|ltd|co|corp|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|u\.s|e\.u)\.$/i;
const initial = /(?:^|[\s(.])\p{Lu}\.$/u;
const ordinal = /(?:^|\s)\d{1,2}\.$/;
const month = /^(?:jan|feb|mar|mär|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])/i;
const marker = /^\s*(?:>\s*)*(?:(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?|#{1,6}\s+)?/;
const startsBlock = /^\s*(?:>\s*)*(?:[-*+]\s|\d{1,3}[.)]\s|#{1,6}\s|\|)/;
const rule = /^\s*(?:[-*_]\s*){3,}$|^\s*\|?[\s:|-]+\|[\s:|-]*$|^\s*(?:```|~~~)/;

/** Spans without the space around them, in order; the text between two spans is space or Markdown's own marks. */
export function sentencesOf(text: string): Span[] {
  return chunksOf(text).flatMap((chunk) => split(text, chunk));
}

/** Runs of lines that belong together: paragraphs, list items, rows. */
function chunksOf(text: string): Span[] {
  const chunks: Span[] = [];
  let open: Span | undefined;
  let offset = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const bare = line.replace(/[\r\n]+$/, "");
    const end = offset + bare.length;
    if (bare.trim() === "" || rule.test(bare)) open = undefined;
    else if (open === undefined || startsBlock.test(bare)) {
      open = { start: offset + marker.exec(bare)![0].length, end };
      chunks.push(open);
      if (/^\s*(?:#|\|)/.test(bare)) open = undefined;
    } else open.end = end;
    offset += line.length;
  }
  return chunks;
}

function split(text: string, chunk: Span): Span[] {
  const spans: Span[] = [];
  let start = chunk.start;
  const stops = /[.!?…]+["'”’»)\]*_]*(?=\s)/g;
  const within = text.slice(0, chunk.end);
  stops.lastIndex = start;
  for (let stop = stops.exec(within); stop !== null; stop = stops.exec(within)) {
    const end = stop.index + stop[0].length;
    if (!endsSentence(within.slice(start, end), within.slice(end, end + 40).trimStart())) continue;
    push(spans, text, start, end);
    start = end;
  }
  push(spans, text, start, chunk.end);
  return spans;
}

function endsSentence(before: string, after: string): boolean {
  if (after === "") return true;
  const bare = before.replace(/["'”’»)\]*_]+$/, "");
  if (/[!?…]$/.test(bare)) return !/^\p{Ll}/u.test(after);
  if (titles.test(bare) || initial.test(bare)) return false;
  if (ordinal.test(bare) && (month.test(after) || /^\p{Ll}/u.test(after))) return false;
  if (openEnded.test(bare)) return /^["'“„«(*_]*\p{Lu}/u.test(after);
  return !/^\p{Ll}/u.test(after);
}

function push(spans: Span[], text: string, start: number, end: number): void {
  while (start < end && /\s/.test(text[start]!)) start++;
  while (end > start && /\s/.test(text[end - 1]!)) end--;
  if (/[\p{L}\p{N}]/u.test(text.slice(start, end))) spans.push({ start, end });
}
