import type { ChatPart } from "../../kernel/chat.ts";
import type { Rung } from "../../kernel/snapshot.ts";
import type { Decision, Served } from "../../path/context.ts";
import { type Scanner, guardText, isClean, runGuards } from "../screen/index.ts";

export function createCheck(scanner: Scanner): (d: Decision, rung: Rung, served: Served) => Served | "next-rung" {
  return (d, rung, served) => {
    if (served.type !== "chat" || d.useCase.check.length === 0 || rung.type === "template") return served;
    const texts = served.response.parts.map(guardText).filter((text) => text !== undefined);
    const run = runGuards(scanner, d.useCase.check, "output", texts);
    const stopped = run.blocked?.guard ?? run.failed;
    for (const verdict of run.verdicts)
      d.guards.push(verdict.action === "block" ? { ...verdict, action: "next-rung" } : verdict);
    if (stopped) return "next-rung";
    // The vendor's bytes may say more than the neutral form: they pass only where the guards find nothing in them either.
    if (!run.redact) {
      const { raw, ...answer } = served;
      if (raw === undefined) return served;
      const text = typeof raw === "string" ? raw : Buffer.from(raw).toString("utf8");
      return isClean(scanner, d.useCase.check, text) ? served : answer;
    }
    return {
      type: "chat",
      response: { ...served.response, parts: served.response.parts.map((part) => redacted(part, run.redact!)) },
    };
  };
}

function redacted(part: ChatPart, redact: (text: string) => string): ChatPart {
  if (part.type === "tool_call") return { ...part, arguments: redact(part.arguments) };
  return "text" in part ? { ...part, text: redact(part.text) } : part;
}
