import type { ChatRequest } from "../../kernel/chat.ts";
import { dataClasses } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { textsOf as textsOfTask, withTexts } from "../../kernel/task.ts";
import type { Decision } from "../../path/context.ts";
import { unescaped } from "./unescaped.ts";
import { type Scanner, cleanRun, isClean, runGuards } from "./guard.ts";

export function createScreen(scanner: Scanner): (d: Decision) => Refusal | undefined {
  return (d) => {
    const { request, task } = d;
    const guards = d.useCase.screen;
    // A score's features have passed a contract of numbers and listed categories: there is no free text to scan.
    if (!request && !task) return undefined;
    if (guards.length > 0 && task?.kind === "embed" && task.inputs.some((input) => typeof input !== "string"))
      return refuse("unsupported_feature", "The guards of this use case read text: send texts instead of token ids.", {
        param: "input",
      });
    // What the neutral form doesn't model, or a name written twice, stands in the client's bytes alone: they may be
    // forwarded only where the guards find nothing in them either.
    const bytes = Buffer.from(d.ask.body.buffer, d.ask.body.byteOffset, d.ask.body.length);
    d.bytesClean =
      guards.length === 0 ||
      (bytes.length <= mostForwarded && isClean(scanner, guards, unescaped(bytes.toString("utf8"))));
    // The detectors that moderate read every text, whatever guards there are.
    if (guards.length === 0 && task?.kind !== "moderate") return undefined;
    // The bytes, their escapes undone, show every character of the neutral form but for documents in base64.
    const texts = task ? textsOfTask(task) : d.bytesClean ? documentsOf(request!) : textsOf(request);
    if (lengthOf(texts) > mostRead)
      return refuse("body_too_large", `The guards of this use case read at most ${mostRead} characters of text.`);
    const known = texts.length === 0 || (task !== undefined && d.bytesClean);
    const run = known ? cleanRun(guards, "input") : runGuards(scanner, guards, "input", texts);
    d.guards.push(...run.verdicts);
    if (run.failed) return refuse("guard_failed", `The guard "${run.failed}" could not run.`);
    if (run.blocked)
      return refuse(
        "input_blocked",
        `The guard "${run.blocked.guard}" blocks input with: ${run.blocked.kinds.join(", ")}.`,
      );
    if (run.redact) {
      if (task) d.task = withTexts(task, run.redact);
      else d.request = redactStrings(request, run.redact) as ChatRequest;
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
  /** The same holds on every level below. */
  deep?: true;
}

// Bytes, addresses, signatures and ids are void once a character differs, and digits in them look like card numbers.
const voidIfChanged = ["type", "data", "url", "signature", "encrypted", "id"];
const native: Place = {
  notText: new Set([...voidIfChanged, "encrypted_content", "encrypted_index", "tool_use_id", "file_id"]),
  deep: true,
};
const part: Place = {
  notText: new Set([...voidIfChanged, "media_type", "file_id", "cache"]),
  below: { value: native },
};
const message: Place = { notText: new Set(["role"]), below: { parts: part } };
// The use case's name, and paths that Weir itself names.
const wholeRequest: Place = { notText: new Set(["model", "unmodelled"]), below: { messages: message } };
const anywhereElse: Place = { notText: new Set() };

/** Every text of a request, wherever it stands: messages, tools and their schemas, stop sequences, the end user's name. */
function textsOf(value: unknown, place = wholeRequest, into: string[] = []): string[] {
  if (typeof value === "string") into.push(value);
  else if (Array.isArray(value)) for (const item of value) textsOf(item, place, into);
  else if (typeof value === "object" && value !== null) {
    if (isTextFile(value)) into.push(Buffer.from(value.data, "base64").toString("utf8"));
    for (const [name, item] of Object.entries(value))
      if (!place.notText.has(name)) textsOf(item, below(place, name), into);
  }
  return into;
}

/** The texts of a request's documents alone. */
function documentsOf({ messages }: ChatRequest): string[] {
  const texts: string[] = [];
  const read = (parts: readonly object[]) => {
    for (const one of parts) {
      if (isTextFile(one)) textsOf(one, part, texts);
      else if ("parts" in one && Array.isArray(one.parts)) read(one.parts as object[]);
    }
  };
  for (const { parts } of messages) read(parts);
  return texts;
}

const below = (place: Place, name: string): Place => place.below?.[name] ?? (place.deep ? place : anywhereElse);

/** A document whose words lie in its data: they are text like any other, in base64 or not. */
const isTextFile = (value: object): value is { data: string } => {
  const { type, media_type: mediaType, data } = value as { type?: unknown; media_type?: unknown; data?: unknown };
  return type === "file" && typeof data === "string" && typeof mediaType === "string" && textTypes.test(mediaType);
};
const textTypes = /^text\/|^application\/(?:json|xml|yaml|x-yaml|csv)\b/i;

function redactStrings(value: unknown, redact: (text: string) => string, place = wholeRequest): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactStrings(item, redact, place));
  if (typeof value !== "object" || value === null) return value;
  const rewritten = Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      place.notText.has(name) ? item : redactStrings(item, redact, below(place, name)),
    ]),
  );
  if (isTextFile(value))
    rewritten["data"] = Buffer.from(redact(Buffer.from(value.data, "base64").toString("utf8"))).toString("base64");
  return rewritten;
}

const higher = (a: Decision["dataClass"], b: Decision["dataClass"]) =>
  dataClasses.indexOf(a) >= dataClasses.indexOf(b) ? a : b;
