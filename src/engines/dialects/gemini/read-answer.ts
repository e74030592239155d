/** What an answer says, be it whole or a chunk of a stream: both have the same form here. */
import type { ChatEvent, Citation, TokenLogprob } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";
import { citationsOf } from "./citations.ts";
import { mediaOf } from "./media.ts";
import { digestOf, proofOf } from "./signature.ts";
import { type Counted, usageOf } from "./usage.ts";
import { finishOf, finishReasonOf } from "./words.ts";

interface Candidate {
  /** What its events say of it: nothing for the first. */
  of: { choice?: number };
  calls: number;
  finishReason: string | undefined;
}

export interface Answer {
  id: string;
  started: boolean;
  /** The prompt was refused: there are no candidates. */
  blocked: boolean;
  /** Whether it said anything that takes tokens. */
  spoke: boolean;
  candidates: Map<number, Candidate>;
  /** The sources named last: each chunk names them all again. */
  citations: Citation[];
}

export const openAnswer = (): Answer => ({
  id: "",
  started: false,
  blocked: false,
  spoke: false,
  candidates: new Map(),
  citations: [],
});

export function readAnswer(chunk: Fields, answer: Answer, out: ChatEvent[]): void {
  answer.id ||= textOr(chunk["responseId"], "");
  const counted = usageOf(chunk["usageMetadata"]);
  if (!answer.started) {
    answer.started = true;
    out.push({ type: "start", model: textOr(chunk["modelVersion"], ""), ...(counted && { usage: counted.usage }) });
  }
  const feedback = chunk["promptFeedback"];
  if (isFields(feedback) && textOr(feedback["blockReason"], "") !== "") answer.blocked = true;
  const before = out.length;
  const candidates = Array.isArray(chunk["candidates"]) ? (chunk["candidates"] as unknown[]) : [];
  for (const [position, fields] of candidates.entries()) {
    const candidate = isFields(fields) ? candidateAt(fields["index"] ?? position, answer) : undefined;
    if (candidate !== undefined) readCandidate(fields as Fields, candidate, answer, out);
  }
  if (out.length > before) answer.spoke = true;
  if (counted !== undefined && isReport(counted, answer)) out.push({ type: "usage", usage: counted.usage });
}

/** A prompt counted alone says nothing of the words that were answered: better estimated than taken for none. */
const isReport = ({ whole }: Counted, answer: Answer): boolean => whole || (isOver(answer) && !answer.spoke);

/** Whether all was said that was to be said. A stream that ends before is truncated. */
export function isOver({ blocked, candidates }: Answer): boolean {
  if (candidates.size === 0) return blocked;
  for (const { finishReason } of candidates.values()) if (finishReason === undefined) return false;
  return true;
}

export function closeAnswer(answer: Answer, out: ChatEvent[]): void {
  if (answer.citations.length > 0) out.push({ type: "citations", citations: answer.citations });
  if (answer.candidates.size === 0) out.push({ type: "finish", finish: answer.blocked ? "content_filter" : "stop" });
  for (const { of, calls, finishReason } of answer.candidates.values()) {
    out.push({ type: "finish", finish: finishOf(finishReason ?? "STOP", calls > 0), ...of });
  }
  out.push({ type: "end" });
}

/** No request can ask for more; what a vendor numbers beyond is no answer. */
const mostCandidates = 128;

function candidateAt(index: unknown, { candidates }: Answer): Candidate | undefined {
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= mostCandidates) return undefined;
  const known = candidates.get(index);
  if (known !== undefined) return known;
  const candidate: Candidate = { of: index === 0 ? {} : { choice: index }, calls: 0, finishReason: undefined };
  candidates.set(index, candidate);
  return candidate;
}

function readCandidate(fields: Fields, candidate: Candidate, answer: Answer, out: ChatEvent[]): void {
  const before = out.length;
  const content = isFields(fields["content"]) ? fields["content"]["parts"] : undefined;
  if (Array.isArray(content)) {
    for (const part of content as unknown[]) if (isFields(part)) readPart(part, candidate, answer, out);
  }
  if (fields["logprobsResult"] !== undefined) readLogprobs(fields["logprobsResult"], candidate, out, before);
  if (candidate.of.choice === undefined) {
    const citations = citationsOf(fields);
    if (citations.length > 0) answer.citations = citations;
  }
  candidate.finishReason = finishReasonOf(fields["finishReason"]) ?? candidate.finishReason;
}

type Reader = (value: unknown, part: Fields, candidate: Candidate, answer: Answer, out: ChatEvent[]) => void;

const nativeReader =
  (kind: string): Reader =>
  (_value, part, { of }, _answer, out) => {
    if (!isShallow(part)) return;
    out.push({ type: "part", part: { type: "native", dialect: "gemini", kind, value: part }, ...of });
  };

const readMedia: Reader = (_value, part, { of }, _answer, out) => {
  const media = mediaOf(part);
  if (media?.type === "audio") out.push({ ...media, ...of });
  else if (media !== undefined) out.push({ type: "part", part: media, ...of });
};

/** Field of a part → what it says. A part has one of them, and perhaps marks beside it. */
const readers: readonly (readonly [field: string, read: Reader])[] = [
  ["text", readText],
  ["functionCall", readCall],
  ["inlineData", readMedia],
  ["fileData", readMedia],
  ["executableCode", nativeReader("executableCode")],
  ["codeExecutionResult", nativeReader("codeExecutionResult")],
  ["toolCall", nativeReader("toolCall")],
  ["toolResponse", nativeReader("toolResponse")],
];

function readPart(part: Fields, candidate: Candidate, answer: Answer, out: ChatEvent[]): void {
  // Drafts of images that belong to the thoughts are no part of the answer.
  if (part["thought"] === true && typeof part["text"] !== "string") return;
  for (const [field, read] of readers) {
    const value = part[field];
    if (value === undefined || value === null) continue;
    read(value, part, candidate, answer, out);
    // A call carries its own signature, and what only Gemini knows is kept whole.
    if (read !== readText && read !== readMedia) return;
    break;
  }
  const signature = textOr(part["thoughtSignature"], "");
  if (signature !== "") out.push({ ...proofOf(signature), ...candidate.of });
}

function readText(value: unknown, part: Fields, { of }: Candidate, _answer: Answer, out: ChatEvent[]): void {
  const text = textOr(value, "");
  if (text !== "") out.push({ type: part["thought"] === true ? "reasoning" : "text", text, ...of });
}

function readCall(value: unknown, part: Fields, candidate: Candidate, answer: Answer, out: ChatEvent[]): void {
  if (!isFields(value)) return;
  const name = textOr(value["name"], "");
  // Vertex ends streamed arguments, which Weir never asks for, with a call without a name.
  if (name === "") return;
  const { of } = candidate;
  const index = candidate.calls++;
  const args = isShallow(value["args"]) ? JSON.stringify(value["args"] ?? {}) : "{}";
  const id = textOr(value["id"], "") || madeUpCallId(answer.id || digestOf(name + args), of.choice, index);
  const signature = textOr(part["thoughtSignature"], "");
  out.push({ type: "tool_call_start", index, id, name, ...(signature === "" ? {} : { signature }), ...of });
  out.push({ type: "tool_call_delta", index, arguments: args, ...of });
}

/** Older models name no call; the conversation needs a name that no other turn has. */
const madeUpCallId = (answerId: string, choice: number | undefined, index: number): string =>
  `call_${answerId.replaceAll(/[^a-zA-Z0-9_-]/g, "")}${choice === undefined ? "" : `_${choice}`}_${index}`;

/** They belong to the text beside them. */
function readLogprobs(value: unknown, { of }: Candidate, out: ChatEvent[], from: number): void {
  const logprobs = logprobsOf(value);
  if (logprobs.length === 0) return;
  const text = out.findLast((event, i) => i >= from && event.type === "text");
  if (text?.type === "text") text.logprobs = logprobs;
  else out.push({ type: "text", text: "", logprobs, ...of });
}

function logprobsOf(value: unknown): TokenLogprob[] {
  if (!isFields(value) || !Array.isArray(value["chosenCandidates"])) return [];
  const steps = Array.isArray(value["topCandidates"]) ? (value["topCandidates"] as unknown[]) : [];
  return (value["chosenCandidates"] as unknown[]).flatMap((chosen, i) => {
    const token = tokenOf(chosen);
    if (token === undefined) return [];
    const step = steps[i];
    const others = isFields(step) && Array.isArray(step["candidates"]) ? (step["candidates"] as unknown[]) : [];
    const top = others.flatMap((other) => tokenOf(other) ?? []);
    return [top.length === 0 ? token : { ...token, top }];
  });
}

function tokenOf(value: unknown): { token: string; logprob: number } | undefined {
  if (!isFields(value) || typeof value["token"] !== "string" || typeof value["logProbability"] !== "number") {
    return undefined;
  }
  return { token: value["token"], logprob: value["logProbability"] };
}
