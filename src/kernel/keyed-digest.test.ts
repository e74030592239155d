import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyedDigest } from "./keyed-digest.ts";

describe("keyedDigest", () => {
  // RFC 4231, cases 1 and 2.
  it.each([
    [Buffer.alloc(20, 0x0b), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      Buffer.from("Jefe"),
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
  ])("gives the published vectors", (key, data, expected) => expect(keyedDigest(key)(data)).toBe(expected));

  it("law: equals the engine's HMAC for any key up to a block and any message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.uint8Array({ maxLength: 300 }), (key, data) => {
        expect(keyedDigest(key)(data)).toBe(createHmac("sha256", key).update(data).digest("hex"));
      }),
    );
  });

  it("refuses a longer key", () => expect(() => keyedDigest(new Uint8Array(65))).toThrow(RangeError));
});
