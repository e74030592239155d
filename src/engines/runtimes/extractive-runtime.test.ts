import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import { openCollection, type Passage } from "../../retrieval/index.ts";
import { createExtractiveRuntime } from "./extractive-runtime.ts";

const sources: Record<string, string> = {
  "cards.md":
    "---\ntitle: Cards\n---\n\nA lost card is blocked at once by calling +49 30 23125 116. A replacement card costs 10 euros. Cards arrive within 5 working days.\n",
  "fees.md":
    "---\ntitle: Fees\n---\n\n## Accounts\n\n- The current account costs 4.90 euros a month.\n- The student account is free, e.g. until the 27th birthday.\n",
  "loans.md": "# Loans\n\nA consumer loan is between 1,000 and 50,000 euros. The rate is 5.9 percent a year.\n",
};
const collection = openCollection(
  "bank",
  Object.entries(sources).map(([path, text]) => ({ path, bytes: () => new TextEncoder().encode(text) })),
);

async function ask(messages: ChatRequest["messages"] | string, more: Partial<ChatRequest> = {}, passages?: Passage[]) {
  const model = await createExtractiveRuntime().load({ name: "extractive" });
  if (model.kind !== "chat") throw new Error("not a chat model");
  const said = typeof messages === "string" ? [user(messages)] : messages;
  const request = { model: "assistant", messages: said, stream: false, wants_usage: false, unmodelled: [], ...more };
  const question = said
    .flatMap((message) => message.parts.map((part) => (part.type === "text" ? part.text : "")))
    .join(" ");
  return model.answer(request, passages ?? collection.search(question, 4, []));
}
const user = (text: string): ChatRequest["messages"][number] => ({ role: "user", parts: [{ type: "text", text }] });
const textOf = (answer: ChatResponse | undefined) =>
  answer?.parts.map((part) => (part.type === "text" ? part.text : "")).join("");

describe("the extractive model", () => {
  it("quotes the sentence that answers, with a marker and a citation into the source", async () => {
    const answer = await ask("What does a replacement card cost?");
    expect(textOf(answer)).toBe("A replacement card costs 10 euros. [1]");
    expect(answer).toMatchObject({ model: "extractive", finish: "stop" });
    const [cited] = answer!.citations!;
    expect(cited).toMatchObject({ source: "cards.md", title: "Cards", text: "A replacement card costs 10 euros." });
    expect(sources["cards.md"]!.slice(cited!.start, cited!.end)).toBe(cited!.text);
  });

  it("quotes list items without their marks and keeps abbreviations and decimals whole", async () => {
    expect(textOf(await ask("Is the student account free?"))).toMatch(
      /^The student account is free, e\.g\. until the 27th birthday\. \[1\]/,
    );
    expect(textOf(await ask("Monthly costs of the current account"))).toContain(
      "The current account costs 4.90 euros a month. [1]",
    );
  });

  it.each(["", "   ", "Hello!", "Hi, good morning", "thanks", "What is it?", "🙂"])("abstains on %j", async (text) => {
    expect(await ask(text, {}, collection.search("card loan account", 4, []))).toBeUndefined();
  });

  it.each(["What is the weather in Hamburg tomorrow?", "Which bitcoin wallet should I buy?", "Who won the cup final?"])(
    "abstains on what the passages do not cover: %s",
    async (text) => expect(await ask(text, {}, collection.search("card loan account", 4, []))).toBeUndefined(),
  );

  it("abstains without passages, and where prose is not wanted", async () => {
    const question = "What does a replacement card cost?";
    expect(await ask(question, {}, [])).toBeUndefined();
    expect(await ask(question, { response_format: { type: "json_object" } })).toBeUndefined();
    expect(await ask(question, { tool_choice: "required" })).toBeUndefined();
    expect(await ask(question, { tool_choice: { name: "f" } })).toBeUndefined();
    expect(await ask(question, { response_format: { type: "text" }, tool_choice: "auto" })).toBeDefined();
  });

  it("reads the last user message only", async () => {
    const earlier = [user("What does a replacement card cost?"), { role: "assistant" as const, parts: [] }];
    expect(await ask([...earlier, user("Thanks!")])).toBeUndefined();
    expect(textOf(await ask([...earlier, user("And the rate of a consumer loan?")]))).toContain("5.9 percent");
    expect(await ask([{ role: "system", parts: user("consumer loan rate").parts }])).toBeUndefined();
  });

  it("says nothing but verbatim sentences, at most three of at most two sources, the same every time", async () => {
    const word = fc.constantFrom(
      "card",
      "replacement",
      "loan",
      "account",
      "cost",
      "student",
      "rate",
      "month",
      "bitcoin",
      "free",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 6 }), async (words) => {
        const answer = await ask(words.join(" "));
        expect(await ask(words.join(" "))).toEqual(answer);
        if (answer === undefined) return;
        const citations = answer.citations!;
        expect(textOf(answer)).toBe(citations.map(({ text }, index) => `${text} [${index + 1}]`).join(" "));
        expect(citations.length).toBeLessThanOrEqual(3);
        expect(new Set(citations.map((citation) => citation.source)).size).toBeLessThanOrEqual(2);
        for (const { source, start, end, text } of citations) expect(sources[source]!.slice(start, end)).toBe(text);
      }),
    );
  });

  it("quotes exactly, whatever the source looks like", async () => {
    const line = fc.constantFrom(
      "# Fees",
      "",
      "A fee of 4.90 euros. It is due, e.g. now.",
      "- fee item",
      "| fee | 3 |",
      "> *fee* ünï 🙂! Next",
      "```",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 20 }),
        fc.constantFrom("\n", "\r\n"),
        async (lines, newline) => {
          const text = `---${newline}title: T${newline}---${newline}${lines.join(newline)}`;
          const one = openCollection("x", [{ path: "f.md", bytes: () => new TextEncoder().encode(text) }]);
          const answer = await ask("fee", {}, one.search("fee", 4, []));
          for (const cited of answer?.citations ?? []) expect(text.slice(cited.start, cited.end)).toBe(cited.text);
          if (/^(?!#).*fee/im.test(lines.join("\n").replace(/^#.*$/gm, ""))) expect(answer).toBeDefined();
        },
      ),
    );
  });
});
