import type { ChatChoice, ChatPart, ChatResponse } from "../../kernel/chat.ts";
import type { Rung } from "../../kernel/snapshot.ts";
import type { Decision, Served } from "../../path/context.ts";
import { type OpenScan, type Scanner, isClean, runGuards, unescaped } from "../screen/index.ts";
import { guardedFrames } from "./guarded-frames.ts";
import { editsOf } from "./guarded-text.ts";
import { JsonText } from "./json-text.ts";
import { asOneText, withWords, wordsOf } from "./one-text.ts";
import { PlainText, type Spelling } from "./spelling.ts";

export function createCheck(
  scanner: Scanner,
  openScan: OpenScan,
): (d: Decision, rung: Rung, served: Served) => Served | "next-rung" {
  return (d, rung, served) => {
    const guards = d.useCase.check;
    if (guards.length === 0 || rung.type === "template") return served;
    if (served.type === "stream") {
      const observes = guards.every((guard) => guard.action === "allow");
      const frames = guardedFrames({ scanner, openScan, clock: d.clock }, d, served.frames, observes);
      return { ...served, frames, sameDialect: served.sameDialect && observes };
    }
    return served.type === "chat" ? checkAnswer(scanner, d, served) : served;
  };
}

type Answer = Extract<Served, { type: "chat" }>;

function checkAnswer(scanner: Scanner, d: Decision, served: Answer): Served | "next-rung" {
  const response = asOneText(served.response);
  const guards = d.useCase.check;
  const texts = [response, ...(response.others ?? [])].flatMap(({ parts }) => parts.map(readable));
  texts.push(...(response.citations ?? []).flatMap(wordsOf));
  const run = runGuards(
    scanner,
    guards,
    "output",
    texts.filter((text) => text !== undefined),
  );
  const stopped = run.blocked?.guard ?? run.failed;
  for (const verdict of run.verdicts)
    d.guards.push(verdict.action === "block" ? { ...verdict, action: "next-rung" } : verdict);
  if (stopped) return "next-rung";
  if (run.redacted) return { type: "chat", response: redactedAnswer(scanner, response, run.redacted) };
  // The vendor's bytes may say more than the neutral form: they pass only where the guards find nothing in them either.
  const { raw, ...answer } = served;
  if (raw === undefined) return response === served.response ? served : { type: "chat", response };
  const text = typeof raw === "string" ? raw : Buffer.from(raw).toString("utf8");
  return isClean(scanner, guards, unescaped(text)) ? served : { ...answer, response };
}

/** A part's words, as they are spelled, and the part with other words. */
function worded(part: ChatPart): { words: string; spelling: () => Spelling; say(words: string): ChatPart } | undefined {
  switch (part.type) {
    case "text":
      return { words: part.text, spelling: plain, say: (text) => ({ ...part, text }) };
    case "reasoning": {
      // A signature over words that were replaced proves nothing and would be refused.
      const { signature: _signature, ...unsigned } = part;
      return { words: part.text, spelling: plain, say: (text) => ({ ...unsigned, text }) };
    }
    case "tool_call":
      return {
        words: part.arguments,
        spelling: part.custom ? plain : json,
        say: (text) => ({ ...part, arguments: text }),
      };
    case "audio":
      return { words: part.transcript ?? "", spelling: plain, say: (transcript) => ({ ...part, transcript }) };
    case "native":
      return {
        words: JSON.stringify(part.value ?? null),
        spelling: json,
        say: (text) => ({ ...part, value: JSON.parse(text) as unknown }),
      };
    default:
      return undefined;
  }
}

const plain = (): Spelling => new PlainText();
const json = (): Spelling => new JsonText();

function readable(part: ChatPart): string | undefined {
  const said = worded(part);
  if (said === undefined) return undefined;
  const spelling = said.spelling();
  return spelling.read(said.words) + spelling.end();
}

function redactedAnswer(scanner: Scanner, response: ChatResponse, wanted: ReadonlySet<string>): ChatResponse {
  const redacted = <Choice extends ChatChoice>(choice: Choice): Choice => {
    // Log probabilities spell out what was replaced.
    const { logprobs: _logprobs, ...rest } = choice;
    return { ...rest, parts: choice.parts.map((part) => redactedPart(scanner, part, wanted)) } as Choice;
  };
  const { others, citations } = response;
  const say = (words: string) => scanner.redact(words, scanner.scan(words, wanted));
  return {
    ...redacted(response),
    ...(others && { others: others.map(redacted) }),
    ...(citations && { citations: citations.map((citation) => withWords(citation, say)) }),
  };
}

function redactedPart(scanner: Scanner, part: ChatPart, wanted: ReadonlySet<string>): ChatPart {
  const said = worded(part);
  if (said === undefined) return part;
  const spelling = said.spelling();
  const read = spelling.read(said.words) + spelling.end();
  const found = scanner.scan(read, wanted);
  if (found.length === 0) return part;
  return said.say(
    spelling.take(
      read.length,
      editsOf(found, (text, findings) => scanner.redact(text, findings)),
    ),
  );
}
