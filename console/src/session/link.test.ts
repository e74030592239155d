import { expect, it } from "vitest";
import { readLink } from "./link.ts";

it.each([
  ["#token=abc-1", { kind: "token", value: "abc-1" }],
  ["#invite=a%2Bb", { kind: "invite", value: "a+b" }],
  ["#tokens=abc", undefined],
  ["#token=", undefined],
  ["", undefined],
])("reads %s", (hash, link) => expect(readLink(hash)).toEqual(link));
