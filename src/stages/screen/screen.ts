import type { ChatRequest } from "../../kernel/chat.ts";
import { dataClasses } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { textsOf as textsOfTask, withTexts } from "../../kernel/task.ts";
import type { Decision } from "../../path/context.ts";
import { unescaped } from "./unescaped.ts";
import { type GuardRun, type Readable, type Scanner, cleanRun, isClean, runGuards } from "./guard.ts";
import { textsSideBySide } from "./side-by-side.ts";

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
    const shown = guards.length > 0 && bytes.length <= mostForwarded ? unescaped(bytes.toString("utf8")) : undefined;
    d.bytesClean = guards.length === 0 || (shown !== undefined && isClean(scanner, guards, shown));
    // The detectors that moderate read every text, whatever guards there are.
    if (guards.length === 0 && task?.kind !== "moderate") return undefined;
    const texts = task ? textsOfTask(task) : d.bytesClean ? unseenIn(shown ?? "", request!) : textsOf(request);
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
      else d.request = redactStrings(request, run) as ChatRequest;
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

const lengthOf = (texts: readonly Readable[]): number =>
  texts.reduce((sum, text) => sum + (typeof text === "string" ? text.length : lengthOf(text)), 0);

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
const inPart = new Set([...voidIfChanged, "media_type", "file_id", "cache"]);
// What a tool brought is made of the same parts.
const part: Place = { notText: inPart, below: { value: native, parts: { notText: inPart } } };
const message: Place = { notText: new Set(["role"]), below: { parts: part } };
// The use case's name, and paths that Weir itself names.
const wholeRequest: Place = { notText: new Set(["model", "unmodelled"]), below: { messages: message } };
const anywhereElse: Place = { notText: new Set() };

/** Every text of a request, wherever it stands: messages, tools and their schemas, stop sequences, the end user's name. */
function textsOf(value: unknown, place = wholeRequest, into: Readable[] = []): Readable[] {
  if (typeof value === "string") into.push(value);
  else if (Array.isArray(value)) {
    const together = textsSideBySide(value);
    for (const run of together) into.push(run.map(({ text }) => text));
    const read = new Set<unknown>(together.flat());
    for (const item of value) textsOf(read.has(item) ? { ...(item as object), text: undefined } : item, place, into);
  } else if (typeof value === "object" && value !== null) {
    if (isTextFile(value)) into.push(Buffer.from(value.data, "base64").toString("utf8"));
    for (const [name, item] of Object.entries(value))
      if (!place.notText.has(name)) textsOf(item, below(place, name), into);
  }
  return into;
}

/**
 * The bytes, their escapes undone, show every character of the messages, but documents in base64, and not in one piece
 * what a model reads as one: text parts that stand side by side, and a tool's result that came as several.
 */
function unseenIn(shown: string, { messages }: ChatRequest): Readable[] {
  const texts: Readable[] = [];
  let from = 0;
  const read = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const run of textsSideBySide(value)) texts.push(run.map(({ text }) => text).join(""));
      for (const item of value) read(item);
      return;
    }
    if (isTextFile(value)) textsOf(value, part, texts);
    if (isToolResult(value)) {
      // Results stand in the bytes in the order of the messages: one walk finds them all.
      const at = shown.indexOf(`"${value.text}"`, from);
      if (at === -1) texts.push(value.text);
      else from = at + value.text.length;
    }
    for (const item of Object.values(value)) read(item);
  };
  for (const { parts } of messages) read(parts);
  return texts;
}

const isToolResult = (value: object): value is { text: string } => {
  const { type, text } = value as { type?: unknown; text?: unknown };
  return type === "tool_result" && typeof text === "string" && text !== "";
};

const below = (place: Place, name: string): Place => place.below?.[name] ?? (place.deep ? place : anywhereElse);

/** A document whose words lie in its data: they are text like any other, in base64 or not. */
const isTextFile = (value: object): value is { data: string } => {
  const { type, media_type: mediaType, data } = value as { type?: unknown; media_type?: unknown; data?: unknown };
  return type === "file" && typeof data === "string" && typeof mediaType === "string" && textTypes.test(mediaType);
};
const textTypes = /^text\/|^application\/(?:json|xml|yaml|x-yaml|csv)\b/i;

function redactStrings(value: unknown, run: GuardRun, place = wholeRequest): unknown {
  const redact = run.redact!;
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return redactItems(value, run, place);
  if (typeof value !== "object" || value === null) return value;
  const rewritten = Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      place.notText.has(name) ? item : redactStrings(item, run, below(place, name)),
    ]),
  );
  if (isTextFile(value))
    rewritten["data"] = Buffer.from(redact(Buffer.from(value.data, "base64").toString("utf8"))).toString("base64");
  return rewritten;
}

function redactItems(items: readonly unknown[], run: GuardRun, place: Place): unknown[] {
  const words = new Map<unknown, string>();
  for (const together of textsSideBySide(items)) {
    const redacted = run.redactTogether!(together.map(({ text }) => text));
    for (const [i, item] of together.entries()) words.set(item, redacted[i]!);
  }
  return items.map((item) => {
    const text = words.get(item);
    if (text === undefined) return redactStrings(item, run, place);
    return { ...(redactStrings({ ...(item as object), text: undefined }, run, place) as object), text };
  });
}

const higher = (a: Decision["dataClass"], b: Decision["dataClass"]) =>
  dataClasses.indexOf(a) >= dataClasses.indexOf(b) ? a : b;
