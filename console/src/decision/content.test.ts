import { expect, it } from "vitest";
import { toMessages, toText } from "./content.tsx";

it.each([
  ["text", "text"],
  [
    {
      parts: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
    },
    "a\nb",
  ],
  [{ content: [{ type: "text", text: "c" }] }, "c"],
  [{ score: 1 }, '{\n  "score": 1\n}'],
  [undefined, ""],
])("shows %j as text", (value, text) => expect(toText(value)).toBe(text));

it("shows a body that is no list of messages as the request", () =>
  expect(toMessages("hello")).toEqual([{ role: "request", text: "hello" }]));
