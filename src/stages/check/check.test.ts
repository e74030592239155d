import { describe, expect, it } from "vitest";
import { aChatResponse, aDecision, aGuard, modelRung, templateRung } from "../../../tests/fixtures/decision.ts";
import { wordScanner } from "../../../tests/fixtures/word-scanner.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import type { Served } from "../../path/context.ts";
import type { OpenScan } from "../screen/index.ts";
import { createCheck } from "./check.ts";

const noStream: OpenScan = () => {
  throw new Error("no stream is checked here");
};
const check = createCheck(wordScanner, noStream);
const rung = modelRung("large");
const withGuards = (...guards: Guard[]) => aDecision({ useCase: { check: guards } });
const said = (text: string): Served => ({ type: "chat", response: aChatResponse(text), raw: Buffer.from("raw") });

describe("check", () => {
  it("passes what no guard minds as it is, raw bytes included", () => {
    const served = said("hello");
    expect(check(withGuards(aGuard()), rung, served)).toBe(served);
  });

  it("drops the vendor's bytes where they say more than the answer does", () => {
    const served: Served = { type: "chat", response: aChatResponse("hello"), raw: Buffer.from('{"x_debug":"CARD"}') };
    expect(check(withGuards(aGuard()), rung, served)).toEqual({ type: "chat", response: served.response });
  });

  it("drops them also where an escape hides it", () => {
    const raw = Buffer.from('{"x_debug":"\\u0043ARD"}');
    expect(
      check(withGuards(aGuard()), rung, { type: "chat", response: aChatResponse("hello"), raw }),
    ).not.toHaveProperty("raw");
  });

  it("reads every choice, transcripts, a vendor's own items and escaped arguments", () => {
    const d = withGuards(aGuard({ action: "redact" }));
    const call = { type: "tool_call", id: "c", name: "pay" } as const;
    const native = { type: "native", dialect: "gemini", kind: "code" } as const;
    const response = aChatResponse("fine", {
      parts: [
        { ...call, arguments: '{"x":"\\u0043ARD","n":1.50}' },
        { ...call, arguments: "a CARD", custom: true },
        { ...native, value: { out: ["CARD", 1] } },
        { type: "reasoning", text: "CARD", signature: "s" },
      ],
      logprobs: [{ token: "CARD", logprob: -1 }],
      others: [{ parts: [{ type: "audio", data: "AA", transcript: "CARD" }], finish: "stop" }],
    });
    expect(check(d, rung, { type: "chat", response })).toEqual({
      type: "chat",
      response: {
        ...aChatResponse(),
        parts: [
          { ...call, arguments: '{"x":"[card]","n":1.50}' },
          { ...call, arguments: "a [card]", custom: true },
          { ...native, value: { out: ["[card]", 1] } },
          { type: "reasoning", text: "[card]" },
        ],
        others: [{ parts: [{ type: "audio", data: "AA", transcript: "[card]" }], finish: "stop" }],
      },
    });
    expect(d.guards).toMatchObject([{ verdict: "modify", findings: { card: 5 } }]);
  });

  it("reads parts that stand side by side as one text, and says them as one", () => {
    const halves = ["a CA", "RD, yes"].map((text) => ({ type: "text", text }) as const);
    const served: Served = { type: "chat", response: aChatResponse("", { parts: [...halves] }), raw: "{}" };
    expect(check(withGuards(aGuard()), rung, served)).toBe("next-rung");
    expect(check(withGuards(aGuard({ action: "redact" })), rung, served)).toMatchObject({
      response: { parts: [{ type: "text", text: "a [card], yes" }] },
    });
    const others = [{ parts: [...halves], finish: "stop" as const }];
    const second: Served = { type: "chat", response: aChatResponse("fine", { others }) };
    expect(check(withGuards(aGuard()), rung, second)).toBe("next-rung");
    const refused = aChatResponse("", { parts: [halves[0]!, { ...halves[1]!, refusal: true }] });
    const apart: Served = { type: "chat", response: refused };
    expect(check(withGuards(aGuard()), rung, apart)).toBe(apart);
  });

  it("reads citations; their offsets and addresses stay", () => {
    const cited = { source: "https://x/CARD", title: "My CARD", start: 3, end: 9, text: "CARD it is" };
    const served: Served = { type: "chat", response: aChatResponse("fine", { citations: [cited] }) };
    expect(check(withGuards(aGuard()), rung, served)).toBe("next-rung");
    const d = withGuards(aGuard({ action: "redact" }));
    expect(check(d, rung, served)).toMatchObject({
      response: { citations: [{ ...cited, title: "My [card]", text: "[card] it is" }] },
    });
    expect(d.guards).toMatchObject([{ findings: { card: 2 } }]);
  });

  it("takes the next rung where a guard blocks, and the record says so", () => {
    const d = withGuards(aGuard());
    expect(check(d, rung, said("CARD"))).toBe("next-rung");
    expect(d.guards).toMatchObject([{ on: "output", verdict: "deny", action: "next-rung", findings: { card: 1 } }]);
  });

  it("redacts text and tool arguments, and drops the raw bytes that still say it", () => {
    const d = withGuards(aGuard({ action: "redact" }));
    const response = aChatResponse("a CARD", {
      parts: [
        { type: "text", text: "a CARD" },
        { type: "tool_call", id: "c", name: "pay", arguments: '{"x":"CARD"}' },
      ],
    });
    const checked = check(d, rung, { type: "chat", response, raw: Buffer.from("a CARD") });
    expect(checked).toEqual({
      type: "chat",
      response: {
        ...response,
        parts: [
          { type: "text", text: "a [card]" },
          { type: "tool_call", id: "c", name: "pay", arguments: '{"x":"[card]"}' },
        ],
      },
    });
    expect(response.parts[0]).toEqual({ type: "text", text: "a CARD" });
  });

  it.each([
    ["closed", "next-rung"],
    ["open", "passes"],
  ] as const)("a guard that fails %s: %s", (onFailure, what) => {
    const failing = createCheck(
      {
        scan: () => {
          throw new Error("down");
        },
        redact: (text) => text,
      },
      noStream,
    );
    const d = withGuards(aGuard({ onFailure }));
    const served = said("CARD");
    const checked = failing(d, rung, served);
    if (what === "passes") expect(checked).toMatchObject({ type: "chat", response: aChatResponse("CARD") });
    else expect(checked).toBe("next-rung");
    expect(d.guards).toMatchObject([{ verdict: "error", action: onFailure === "open" ? "allow" : "next-rung" }]);
  });

  const untouched: [string, Served][] = [
    ["scores", { type: "score", score: 0.5, reasons: [] }],
    ["referrals", { type: "refer", to: "people" }],
  ];
  it.each(untouched)("%s pass", (_what, served) => expect(check(withGuards(aGuard()), rung, served)).toBe(served));

  it("the institution's own template passes", () => {
    const served = said("CARD");
    expect(check(withGuards(aGuard()), templateRung, served)).toBe(served);
  });
});
