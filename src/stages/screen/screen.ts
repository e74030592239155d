import type { ChatRequest } from "../../kernel/chat.ts";
import { dataClasses } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Decision } from "../../path/context.ts";
import { unescaped } from "./unescaped.ts";
import { type Scanner, cleanRun, isClean, runGuards } from "./guard.ts";

export function createScreen(scanner: Scanner): (d: Decision) => Refusal | undefined {
  return (d) => {
    const { request } = d;
    const guards = d.useCase.screen;
    // A score's features have passed a contract of numbers and listed categories: there is no free text to scan.
    if (!request || d.ask.kind !== "chat") return undefined;
    // What the neutral form doesn't model, or a name written twice, stands in the client's bytes alone: they may be
    // forwarded only where the guards find nothing in them either.
    const bytes = Buffer.from(d.ask.body.buffer, d.ask.body.byteOffset, d.ask.body.length);
    d.bytesClean =
      guards.length === 0 ||
      (bytes.length <= mostForwarded && isClean(scanner, guards, unescaped(bytes.toString("utf8"))));
    if (guards.length === 0) return undefined;
    // The bytes, their escapes undone, show every character of the neutral form: one scan says it all.
    const texts = d.bytesClean ? [] : textsOf(request);
    if (lengthOf(texts) > mostRead)
      return refuse("body_too_large", `The guards of this use case read at most ${mostRead} characters of text.`);
    const run = d.bytesClean ? cleanRun(guards, "input") : runGuards(scanner, guards, "input", texts);
    d.guards.push(...run.verdicts);
    if (run.failed) return refuse("guard_failed", `The guard "${run.failed}" could not run.`);
    if (run.blocked)
      return refuse(
        "input_blocked",
        `The guard "${run.blocked.guard}" blocks input with: ${run.blocked.kinds.join(", ")}.`,
      );
    if (run.redact) {
      d.request = redactStrings(request, run.redact) as ChatRequest;
      d.rewritten = true;
    }
    if (run.allowed > 0) d.dataClass = higher(d.dataClass, "personal");
    return undefined;
  };
}

// A scan costs up to 1 ms per KB of hostile text, on the loop that serves everyone. Longer bodies (images, mostly) are
// encoded anew rather than read twice, and longer texts are refused.
const mostForwarded = 256 * 1024;
const mostRead = 1024 * 1024;

const lengthOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

/** What of an object's own fields is no text of the client's; below them every name is the client's and is read. */
interface Place {
  notText: ReadonlySet<string>;
  below?: Readonly<Record<string, Place>>;
}

// Bytes, addresses, signatures and ids are void once a character differs, and digits in them look like card numbers.
const part: Place = { notText: new Set(["type", "data", "url", "signature", "encrypted", "id"]) };
const message: Place = { notText: new Set(["role"]), below: { parts: part } };
// The use case's name, and paths that Weir itself names.
const wholeRequest: Place = { notText: new Set(["model", "unmodelled"]), below: { messages: message } };
const anywhereElse: Place = { notText: new Set() };

/** Every text of a request, wherever it stands: messages, tools and their schemas, stop sequences, the end user's name. */
function textsOf(value: unknown, place = wholeRequest, into: string[] = []): string[] {
  if (typeof value === "string") into.push(value);
  else if (Array.isArray(value)) for (const item of value) textsOf(item, place, into);
  else if (typeof value === "object" && value !== null)
    for (const [name, item] of Object.entries(value))
      if (!place.notText.has(name)) textsOf(item, place.below?.[name] ?? anywhereElse, into);
  return into;
}

function redactStrings(value: unknown, redact: (text: string) => string, place = wholeRequest): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactStrings(item, redact, place));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      place.notText.has(name) ? item : redactStrings(item, redact, place.below?.[name] ?? anywhereElse),
    ]),
  );
}

const higher = (a: Decision["dataClass"], b: Decision["dataClass"]) =>
  dataClasses.indexOf(a) >= dataClasses.indexOf(b) ? a : b;
