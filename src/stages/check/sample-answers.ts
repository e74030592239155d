/** Answers for the laws of output guards, the real detectors, and streams of such answers. */
import fc from "fast-check";
import { type DetectorName, type Finding, openScan, redact, scan } from "../../engines/detectors/index.ts";
import { sampleText } from "../../engines/detectors/sample-texts.ts";
import type { ChatEvent, ChatPart, Citation } from "../../kernel/chat.ts";
import type { OpenScan, Scanner } from "../screen/index.ts";

export const realScanner: Scanner = {
  scan: (text, wanted) => scan(text, wanted as ReadonlySet<DetectorName>),
  redact: (text, found) => redact(text, found as readonly Finding[]),
};
export const realOpenScan: OpenScan = (views) => openScan(views as readonly ReadonlySet<DetectorName>[]);

const escapedAll = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");

/** JSON with sample texts in it: as names, as values, bare numbers that look like cards, and spelled in escapes. */
export const sampleJson: fc.Arbitrary<string> = fc
  .array(
    fc.record({
      name: fc.oneof(fc.constantFrom("x", "cvc", "password"), sampleText),
      value: fc.oneof(
        sampleText.map((text) => JSON.stringify(text)),
        sampleText.map((text) => `"${escapedAll(text)}"`),
        fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
        fc.constantFrom("4242424242424242", "-4242424242424242", "[4242424242424242, 1]", "true", "12.5e3"),
      ),
      glue: fc.constantFrom("", " ", "\n  "),
    }),
    { maxLength: 4 },
  )
  .map((members) => {
    const told = members.map(({ name, value, glue }) => `${glue}${JSON.stringify(name)}:${glue}${value}`);
    return `{${told.join(",")}}`;
  });

const samplePart: fc.Arbitrary<ChatPart> = fc.oneof(
  sampleText.map((text) => ({ type: "text", text }) as const),
  sampleText.map((text) => ({ type: "text", text, refusal: true }) as const),
  sampleText.map((text) => ({ type: "reasoning", text }) as const),
  sampleText.map((text) => ({ type: "reasoning", text, signature: "sig" }) as const),
  sampleJson.map((json) => ({ type: "tool_call", id: "c", name: "f", arguments: json }) as const),
  sampleText.map((text) => ({ type: "tool_call", id: "c", name: "g", arguments: text, custom: true }) as const),
);

const sampleParts: fc.Arbitrary<ChatPart[]> = fc.array(samplePart, { maxLength: 5 });

/** Answers whose texts and open thoughts are cut over parts that stand side by side, as vendors' blocks are. */
export const sampleBlocks: fc.Arbitrary<ChatPart[]> = fc
  .tuple(sampleParts, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }))
  .map(([parts, sizes]) => {
    let turn = 0;
    return parts.flatMap((part) => {
      if (part.type !== "text" && (part.type !== "reasoning" || part.signature !== undefined)) return [part];
      const blocks: ChatPart[] = [];
      for (let at = 0; at < part.text.length;) {
        const to = at + sizes[turn++ % sizes.length]!;
        blocks.push({ ...part, text: part.text.slice(at, to) });
        at = to;
      }
      return blocks;
    });
  });

export const sampleCitations: fc.Arbitrary<Citation[]> = fc.array(
  fc
    .record({ text: sampleText, title: sampleText, isCalledByTitle: fc.boolean() })
    .map(({ text, title, isCalledByTitle }) => ({
      source: isCalledByTitle ? title : "https://example.org/1",
      title,
      start: 3,
      end: 9,
      text,
    })),
  { maxLength: 2 },
);

/** The events of these parts, each text cut into pieces of these sizes, round and round. */
export function eventsInPieces(parts: readonly ChatPart[], sizes: readonly number[], choice?: number): ChatEvent[] {
  const of = choice === undefined ? {} : { choice };
  const events: ChatEvent[] = [];
  let calls = 0;
  let turn = 0;
  const inPieces = (text: string, event: (piece: string, isLast: boolean) => ChatEvent) => {
    let at = 0;
    do {
      const size = sizes[turn++ % sizes.length]!;
      events.push(event(text.slice(at, at + size), at + size >= text.length));
      at += size;
    } while (at < text.length);
  };
  for (const part of parts) {
    if (part.type === "text") inPieces(part.text, (text) => ({ ...part, text, ...of }) as ChatEvent);
    else if (part.type === "reasoning") {
      const { signature } = part;
      inPieces(part.text, (text, isLast) => {
        return { type: "reasoning", text, ...(isLast && signature !== undefined && { signature }), ...of };
      });
    } else if (part.type === "tool_call") {
      const index = calls++;
      const { id, name, custom } = part;
      events.push({ type: "tool_call_start", index, id, name, ...(custom && { custom }), ...of });
      inPieces(part.arguments, (piece) => ({ type: "tool_call_delta", index, arguments: piece, ...of }));
    }
  }
  events.push({ type: "finish", finish: "stop", ...of });
  return events;
}
