import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { environments } from "../../kernel/principal.ts";
import { makeApiKey, parseApiKey, sameHmac, secretHmac } from "./api-key.ts";

const made = makeApiKey(new VirtualClock(0, 5), "prod");

describe("API keys", () => {
  it.each(environments)("read back as they were made: %s", (environment) => {
    const { text, ...key } = makeApiKey(new VirtualClock(0, 9), environment);
    expect(text).toMatch(new RegExp(`^wr_${environment}_[0-9a-z]{12}_[0-9a-z]{32}_[0-9a-f]{8}$`));
    expect(parseApiKey(text)).toEqual(key);
  });

  it("one changed character is noticed, wherever it is", () => {
    const at = fc.integer({ min: 0, max: made.text.length - 1 });
    fc.assert(
      fc.property(at, fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz_-A"), (i, other) => {
        fc.pre(made.text[i] !== other);
        expect(parseApiKey(made.text.slice(0, i) + other + made.text.slice(i + 1))).toBeUndefined();
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["the head only", made.text.slice(0, -1)],
    ["a trailing line break", `${made.text}\n`],
    ["a space before", ` ${made.text}`],
    ["another product's key", "sk-proj-abcdefghijklmnop"],
    ["an unknown environment", made.text.replace("prod", "live")],
    ["capital letters", made.text.toUpperCase()],
    ["a megabyte", "wr_prod_".padEnd(1_000_000, "a")],
  ])("%s is no key", (_what, text) => expect(parseApiKey(text)).toBeUndefined());

  it("refuses to make keys for an environment that does not exist", () => {
    expect(() => makeApiKey(new VirtualClock(), "live" as "prod")).toThrow(RangeError);
  });
});

describe("HMACs of secrets", () => {
  const pepper = new Uint8Array(32).fill(1);
  const one = secretHmac(pepper, "secret");
  it.each([
    ["the same", one, one, true],
    ["another secret's", one, secretHmac(pepper, "secreT"), false],
    ["the same secret's under another pepper", one, secretHmac(new Uint8Array(32).fill(2), "secret"), false],
    ["a shorter one", one, one.slice(0, 32), false],
    ["nothing against nothing: a damaged record must open to nobody", "", "", false],
    ["what is no hex", "zz", "zz", false],
  ])("compared with %s", (_what, a, b, same) => expect(sameHmac(a, b)).toBe(same));
});
