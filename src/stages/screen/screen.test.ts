import { describe, expect, it } from "vitest";
import { aChatAsk, aDecision, aGuard, userSays } from "../../../tests/fixtures/decision.ts";
import { wordScanner } from "../../../tests/fixtures/word-scanner.ts";
import type { ChatMessage, ChatPart, ChatRequest } from "../../kernel/chat.ts";
import type { DataClass } from "../../kernel/decision.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import { createScreen } from "./screen.ts";

const screen = createScreen(wordScanner);
const failing = createScreen({
  scan: () => {
    throw new Error("down");
  },
  redact: (text) => text,
});
const decision = (guards: Guard[], messages: ChatMessage[] = [userSays("my CARD please")]) =>
  aDecision({ ask: aChatAsk({ messages }), useCase: { screen: guards } });

describe("screen", () => {
  it("lets what no guard minds pass untouched: the client's bytes may go on", () => {
    const d = decision([aGuard({ action: "redact" })], [userSays("hello")]);
    const before = d.request;
    expect(screen(d)).toBeUndefined();
    expect(d.request).toBe(before);
    expect(d.rewritten).toBe(false);
    expect(d.guards).toHaveLength(1);
  });

  it("blocks, naming guard and kinds but not the content", () => {
    const d = decision([aGuard()]);
    expect(screen(d)).toMatchObject({ code: "input_blocked", message: `The guard "cards" blocks input with: card.` });
    expect(d.guards).toMatchObject([{ verdict: "deny", action: "block" }]);
  });

  it("redacts every kind of text and says that the bytes no longer hold", () => {
    const messages: ChatMessage[] = [
      { role: "system", parts: [{ type: "text", text: "be kind, CARD" }] },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "pay", arguments: '{"with":"CARD"}' }] },
      { role: "tool", parts: [{ type: "tool_result", id: "c1", text: "CARD refused" }] },
      {
        role: "user",
        parts: [
          { type: "image", media_type: "image/png", data: "aCARDb" },
          { type: "text", text: "why, CARD?" },
        ],
      },
    ];
    const d = decision([aGuard({ action: "redact" })], messages);
    const sent = JSON.stringify(messages);
    expect(screen(d)).toBeUndefined();
    expect(d.request!.messages.map((message) => message.parts)).toEqual([
      [{ type: "text", text: "be kind, [card]" }],
      [{ type: "tool_call", id: "c1", name: "pay", arguments: '{"with":"[card]"}' }],
      [{ type: "tool_result", id: "c1", text: "[card] refused" }],
      [
        { type: "image", media_type: "image/png", data: "aCARDb" },
        { type: "text", text: "why, [card]?" },
      ],
    ]);
    expect(d.rewritten).toBe(true);
    expect(JSON.stringify(messages)).toBe(sent);
  });

  it.each([
    ["an image's data", { type: "image", media_type: "image/png", data: "aCARDb" }],
    ["an image's address", { type: "image", url: "https://x/CARD.png" }],
    ["a signature", { type: "reasoning", text: "hm", signature: "CARD" }],
    ["reasoning that only its vendor reads", { type: "reasoning", text: "", encrypted: "CARD" }],
    ["a call's id", { type: "tool_call", id: "CARD", name: "pay", arguments: "{}" }],
    ["the id that a result answers", { type: "tool_result", id: "CARD", text: "paid" }],
  ] as [string, ChatPart][])("neither reads nor rewrites %s", (_what, part) => {
    const messages: ChatMessage[] = [{ role: "user", parts: [part, { type: "text", text: "an EMAIL" }] }];
    expect(screen(decision([aGuard()], messages))).toBeUndefined();
    const d = decision([aGuard({ action: "redact", detect: ["card", "email"] })], messages);
    expect(screen(d)).toBeUndefined();
    expect(d.request!.messages[0]!.parts).toEqual([part, { type: "text", text: "an [email]" }]);
  });

  it.each(["data", "signature", "encrypted", "id", "url", "type", "model", "role"])(
    "reads what stands under a client's own name: %s",
    (name) => {
      const tools = [{ name: "pay", parameters: { properties: { [name]: { description: "with CARD" } } } }];
      const ask = aChatAsk({ tools });
      const shown = { ...ask, body: Buffer.from(JSON.stringify(ask.request)) };
      expect(screen(aDecision({ ask: shown, useCase: { screen: [aGuard()] } }))).toMatchObject({
        code: "input_blocked",
      });
      const d = aDecision({ ask: shown, useCase: { screen: [aGuard({ action: "redact" })] } });
      screen(d);
      expect(JSON.stringify(d.request)).not.toContain("CARD");
    },
  );

  it.each([
    ["a tool's description", { tools: [{ name: "pay", description: "with CARD", parameters: {} }] }],
    ["a tool's schema", { tools: [{ name: "pay", parameters: { properties: { with: { enum: ["CARD"] } } } }] }],
    ["a stop sequence", { stop: ["CARD"] }],
    ["the end user's name", { user: "CARD" }],
  ] as [string, Partial<ChatRequest>][])("reads %s too", (_where, over) => {
    const ask = aChatAsk(over);
    const shown = { ...ask, body: Buffer.from(JSON.stringify(ask.request)) };
    expect(screen(aDecision({ ask: shown, useCase: { screen: [aGuard()] } }))).toMatchObject({ code: "input_blocked" });
    const d = aDecision({ ask: shown, useCase: { screen: [aGuard({ action: "redact" })] } });
    screen(d);
    expect(JSON.stringify(d.request)).not.toContain("CARD");
  });

  it.each([
    ["a field that the neutral form does not model", '{"metadata":{"with":"CARD"}}', false],
    ["a name written twice", '{"messages":"CARD","messages":[]}', false],
    ["an escape spells it out", String.raw`{"a":"\u0043ARD"}`, false],
    ["more than is read twice", JSON.stringify({ image: "x".repeat(300 * 1024) }), false],
    ["nothing", "{}", true],
  ])("the client's bytes may go on only where guards find nothing in them either: %s", (_what, body, clean) => {
    const ask = { ...aChatAsk({ messages: [userSays("hello")] }), body: Buffer.from(body) };
    const d = aDecision({ ask, useCase: { screen: [aGuard()] } });
    expect(screen(d)).toBeUndefined();
    expect(d.bytesClean).toBe(clean);
  });

  it("refuses more text than guards read in good time, and says how much that is", () => {
    const long = aChatAsk({ messages: [userSays("hello ".repeat(200_000))] });
    const ask = { ...long, body: Buffer.from(JSON.stringify(long.request)) };
    expect(screen(aDecision({ ask, useCase: { screen: [aGuard()] } }))).toMatchObject({ code: "body_too_large" });
    expect(screen(aDecision({ ask, useCase: { screen: [] } }))).toBeUndefined();
  });

  it("what an escape hides in the bytes is found in the text", () => {
    const ask = {
      ...aChatAsk({ messages: [userSays("my CARD")] }),
      body: Buffer.from(String.raw`{"content":"my \u0043ARD"}`),
    };
    expect(screen(aDecision({ ask, useCase: { screen: [aGuard()] } }))).toMatchObject({ code: "input_blocked" });
  });

  it("blocks although another guard would only redact", () => {
    const d = decision([aGuard({ name: "soft", action: "redact" }), aGuard()]);
    expect(screen(d)).toMatchObject({ code: "input_blocked" });
    expect(d.guards.map((verdict) => verdict.action)).toEqual(["redact", "block"]);
  });

  it.each([
    ["public", "personal"],
    ["internal", "personal"],
    ["personal", "personal"],
    ["sensitive", "sensitive"],
  ] as [DataClass, DataClass][])("findings that may stand raise %s to %s, never lower it", (dataClass, raised) => {
    const d = aDecision({
      ask: aChatAsk({ messages: [userSays("CARD")] }),
      useCase: { dataClass, screen: [aGuard({ action: "allow" })] },
    });
    expect(screen(d)).toBeUndefined();
    expect(d.dataClass).toBe(raised);
  });

  it("what was redacted away raises nothing", () => {
    const d = decision([aGuard({ action: "redact" })]);
    screen(d);
    expect(d.dataClass).toBe("internal");
  });

  it.each([
    ["closed", "guard_failed"],
    ["open", undefined],
  ] as const)("a guard that fails %s: %s", (onFailure, code) => {
    const d = decision([aGuard({ onFailure })]);
    expect(failing(d)?.code).toBe(code);
    expect(d.guards).toMatchObject([
      { verdict: "error", action: onFailure === "open" ? "allow" : "block", reason: "Error" },
    ]);
  });

  it("one guard failing open does not open another that works", () => {
    const half = createScreen({
      scan: (text, wanted) => {
        if (wanted.has("email")) throw new Error("down");
        return wordScanner.scan(text, wanted);
      },
      redact: (text, found) => wordScanner.redact(text, found),
    });
    const d = decision([aGuard({ name: "mail", detect: ["email"], onFailure: "open" }), aGuard()]);
    expect(half(d)).toMatchObject({ code: "input_blocked" });
  });

  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const document = (text: string): ChatPart => ({ type: "file", media_type: "text/plain", data: base64(text) });

  it.each<[string, ChatPart]>([
    ["sent along", document("the CARD is")],
    ["that a tool brought", { type: "tool_result", id: "t", text: "", parts: [document("the CARD is") as never] }],
  ])("reads a text document in base64, %s, though the bytes look clean", (_how, one) => {
    const d = decision([aGuard()], [{ role: "user", parts: [one] }]);
    expect(screen(d)).toMatchObject({ code: "input_blocked" });
    const redacting = decision([aGuard({ action: "redact" })], [{ role: "user", parts: [one] }]);
    expect(screen(redacting)).toBeUndefined();
    expect(redacting.rewritten).toBe(true);
    expect(JSON.stringify(redacting.request)).toContain(base64("the [card] is"));
  });

  it("a picture that a tool brought is no text either", () => {
    const image = { type: "image", media_type: "image/png", url: "https://a.example/CARD.png" } as const;
    const one: ChatPart = { type: "tool_result", id: "t", text: "", parts: [image] };
    const d = decision(
      [aGuard({ action: "redact" })],
      [{ role: "user", parts: [one, { type: "text", text: "CARD" }] }],
    );
    expect(screen(d)).toBeUndefined();
    expect(d.request!.messages[0]!.parts[0]).toEqual(one);
  });

  it("a clean document leaves the bytes as they are, and a picture is no text", () => {
    const image: ChatPart = { type: "image", media_type: "image/png", data: base64("CARD") };
    const d = decision([aGuard()], [{ role: "user", parts: [document("nothing here"), image] }]);
    expect([screen(d), d.bytesClean]).toEqual([undefined, true]);
  });

  const halves: ChatPart[] = [
    { type: "text", text: "my CA", cache: "5m" },
    { type: "text", text: "RD please" },
  ];
  const nested: ChatPart = { type: "tool_result", id: "t", text: "", parts: halves as never };
  const inItem: ChatPart = { type: "native", dialect: "anthropic-messages", kind: "k", value: { content: halves } };
  const image: ChatPart = { type: "image", url: "https://x/1.png" };

  it.each<[string, ChatPart[]]>([
    ["one message", halves],
    ["one message, behind a picture", [image, ...halves]],
    ["a tool's result", [nested]],
    ["a vendor's own item", [inItem]],
  ])("reads texts side by side as one, though the bytes look clean: %s", (_where, parts) => {
    for (const more of [{}, { user: "x".repeat(300 * 1024) }]) {
      const asked = (guard: Guard) => {
        const ask = aChatAsk({ messages: [{ role: "user", parts }], ...more });
        return aDecision({
          ask: { ...ask, body: Buffer.from(JSON.stringify(ask.request)) },
          useCase: { screen: [guard] },
        });
      };
      expect(screen(asked(aGuard()))).toMatchObject({ code: "input_blocked" });
      const d = asked(aGuard({ action: "redact" }));
      expect([screen(d), d.rewritten, d.guards[0]!.findings]).toEqual([undefined, true, { card: 1 }]);
      expect(JSON.stringify(d.request)).toContain(
        '{"type":"text","text":"my [card]","cache":"5m"},{"type":"text","text":" please"}]',
      );
    }
  });

  it.each<[string, ChatPart[]]>([
    ["a picture between them", [halves[0]!, image, halves[1]!]],
    ["a refusal after words", [halves[0]!, { type: "text", text: "RD please", refusal: true }]],
  ])("texts with something else between them stay apart: %s", (_what, parts) => {
    expect(screen(decision([aGuard()], [{ role: "assistant", parts }]))).toBeUndefined();
  });

  it("reads a tool's result that stands in the bytes in several pieces, and none that stands there whole", () => {
    const pieces = '{"content":[{"type":"text","text":"my CA"},{"type":"text","text":"RD"}]}';
    const asked = (body: string, text: string) =>
      aDecision({
        ask: {
          ...aChatAsk({ messages: [{ role: "tool", parts: [{ type: "tool_result", id: "t", text }] }] }),
          body: Buffer.from(body),
        },
        useCase: { screen: [aGuard()] },
      });
    expect(screen(asked(pieces, "my CARD"))).toMatchObject({ code: "input_blocked" });
    const scanned: string[] = [];
    const listening = createScreen({
      ...wordScanner,
      scan: (text, wanted) => (scanned.push(text), wordScanner.scan(text, wanted)),
    });
    const body = String.raw`{"content":"all is "well""}`;
    expect(listening(asked(body, 'all is "well"'))).toBeUndefined();
    expect(scanned).toEqual(['{"content":"all is "well""}']);
  });

  it("reads what only one dialect knows, but for what is void once it is changed", () => {
    const value = { type: "search_result", content: [{ text: "a CARD" }], encrypted_content: "CARD" };
    const one: ChatPart = { type: "native", dialect: "anthropic-messages", kind: "search_result", value };
    const d = decision(
      [aGuard({ action: "redact" })],
      [{ role: "user", parts: [one, { type: "text", text: "CARD" }] }],
    );
    expect(screen(d)).toBeUndefined();
    expect(d.request!.messages[0]!.parts[0]).toMatchObject({
      value: { content: [{ text: "a [card]" }], encrypted_content: "CARD" },
    });
  });

  it("scores have no free text to scan", () => {
    const d = aDecision({ useCase: { kind: "score", screen: [aGuard()] } });
    expect(failing(d)).toBeUndefined();
    expect(d.guards).toEqual([]);
  });
});
