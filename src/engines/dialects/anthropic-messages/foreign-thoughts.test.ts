import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readThought, thoughtBlock } from "./foreign-thoughts.ts";

const back = (block: Record<string, unknown>) =>
  block["type"] === "thinking"
    ? readThought(String(block["thinking"]), String(block["signature"]), false)
    : readThought("", String(block["data"]), true);

describe("thoughts in Anthropic's blocks", () => {
  it("come back under their names, with the seal that they had", () => {
    const seal = fc.oneof(
      fc.record({ encrypted: fc.string({ minLength: 1 }) }),
      fc.record({ signature: fc.string({ minLength: 1 }) }),
      fc.constant({}),
    );
    const id = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(fc.string(), seal, id, (text, sealed, name) => {
        const thought = { text, ...sealed, id: name };
        expect(back(thoughtBlock(thought))).toEqual(thought);
      }),
    );
  });

  it.each([
    [{ text: "hm", signature: "EqQB.x" }],
    [{ text: "", encrypted: "weird.e.x" }],
    [{ text: "hm" }],
    [{ text: "hm", signature: "weir.e" }],
  ])("Anthropic's own stay as they are: %j", (thought) => expect(back(thoughtBlock(thought))).toEqual(thought));

  it("a name that was tampered with is taken as it is", () =>
    expect(readThought("", "weir.e.%zz.x", true)).toEqual({ text: "", id: "%zz", encrypted: "x" }));
});
