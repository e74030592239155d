import type { ChatMessage, ChatRequest } from "../../kernel/chat.ts";
import { dataClasses } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Decision } from "../../path/context.ts";
import { type Scanner, guardText, runGuards } from "./guard.ts";

export function createScreen(scanner: Scanner): (d: Decision) => Refusal | undefined {
  return (d) => {
    const { request } = d;
    // A score's features have passed a contract of numbers and listed categories: there is no free text to scan.
    if (!request || d.useCase.screen.length === 0) return undefined;
    const run = runGuards(scanner, d.useCase.screen, "input", textsOf(request));
    d.guards.push(...run.verdicts);
    if (run.failed) return refuse("guard_failed", `The guard "${run.failed}" could not run.`);
    if (run.blocked)
      return refuse(
        "input_blocked",
        `The guard "${run.blocked.guard}" blocks input with: ${run.blocked.kinds.join(", ")}.`,
      );
    if (run.redact) {
      d.request = redacted(request, run.redact);
      d.rewritten = true;
    }
    if (run.allowed > 0) d.dataClass = higher(d.dataClass, "personal");
    return undefined;
  };
}

function textsOf(request: ChatRequest): string[] {
  const texts: string[] = [];
  for (const message of request.messages)
    for (const part of message.parts) {
      const text = guardText(part);
      if (text) texts.push(text);
    }
  return texts;
}

function redacted(request: ChatRequest, redact: (text: string) => string): ChatRequest {
  const messages = request.messages.map((message): ChatMessage => {
    const parts = message.parts.map((part) => {
      if (part.type === "tool_call") return { ...part, arguments: redact(part.arguments) };
      return "text" in part ? { ...part, text: redact(part.text) } : part;
    });
    return { ...message, parts };
  });
  return { ...request, messages };
}

const higher = (a: Decision["dataClass"], b: Decision["dataClass"]) =>
  dataClasses.indexOf(a) >= dataClasses.indexOf(b) ? a : b;
