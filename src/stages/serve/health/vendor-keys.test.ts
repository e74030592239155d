import { describe, expect, it } from "vitest";
import { aVendor } from "../../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../../kernel/clock.ts";
import type { VendorTarget } from "../../../kernel/snapshot.ts";
import { VendorKeys } from "./vendor-keys.ts";

const keys = ["a", "b", "c"].map((secret, i) => ({ id: `acme#${i + 1}`, secret }));

function setUp(vendor: VendorTarget = aVendor({ keys })) {
  const clock = new VirtualClock();
  const dead: string[] = [];
  const book = new VendorKeys(clock, (name, key, status) => void dead.push(`${name} ${key} ${status}`));
  const take = (target = "acme/m") => {
    const choice = book.take(vendor, target);
    return "key" in choice ? (choice.key?.secret ?? "none wanted") : "waitMs" in choice ? choice.waitMs : "no live key";
  };
  return { clock, dead, book, vendor, take };
}

describe("VendorKeys", () => {
  it("takes them in turn", () => {
    const { take } = setUp();
    expect([take(), take(), take(), take()]).toEqual(["a", "b", "c", "a"]);
  });

  it("a limited one rests for its time, for this target only; then it is in turn again", async () => {
    const { take, book, vendor, clock } = setUp();
    book.limited(vendor, keys[0], "acme/m", 2_000);
    expect([take(), take(), take()]).toEqual(["b", "c", "b"]);
    expect(book.availability(vendor, "acme/other")).toBe("live");
    await clock.advance(2_000);
    expect([take(), take()]).toContain("a");
  });

  it("where all rest it says how long until the first is back", () => {
    const { take, book, vendor } = setUp();
    for (const [i, key] of keys.entries()) book.limited(vendor, key, "acme/m", 1_000 * (i + 2));
    expect(take()).toBe(2_000);
    expect(book.availability(vendor, "acme/m")).toEqual({ coolingMs: 2_000 });
  });

  it("never rests longer than five minutes, and longer each time where the vendor says nothing", () => {
    const { book, vendor } = setUp();
    book.limited(vendor, keys[0], "acme/m", 3_600_000);
    expect(book.of(vendor)[0]).toEqual({ id: "acme#1", state: "cooling", forMs: 300_000 });
    const waits = Array.from({ length: 7 }, () => {
      book.limited(vendor, keys[1], "acme/m", undefined);
      return book.of(vendor)[1]!.forMs;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    book.worked(vendor, keys[1], "acme/m");
    expect(book.of(vendor)[1]).toEqual({ id: "acme#2", state: "live" });
  });

  it("a single key of which the vendor says nothing doesn't rest: backing off does it", () => {
    const { take, book, vendor } = setUp(aVendor());
    book.limited(vendor, vendor.keys[0], "acme/m", undefined);
    expect(take()).toBe("vendor-secret");
  });

  it("a dead one is told of and left out, until ten minutes have passed or a new configuration holds it", async () => {
    const { take, book, vendor, clock, dead } = setUp();
    for (const key of keys) book.refused(vendor, key, 401);
    expect(dead).toEqual(["acme acme#1 401", "acme acme#2 401", "acme acme#3 401"]);
    expect([take(), book.availability(vendor, "acme/m")]).toEqual(["no live key", "no_live_key"]);
    expect(book.availability({ ...vendor, keys: keys.map((key) => ({ ...key })) }, "acme/m")).toBe("live");
    await clock.advance(600_000);
    expect(take()).toBe("a");
  });

  it("a vendor without keys can be limited, never refused", () => {
    const { take, book, vendor, dead } = setUp(aVendor({ keys: [], auth: { type: "none" } }));
    book.refused(vendor, undefined, 401);
    expect([take(), dead]).toEqual(["none wanted", []]);
    book.limited(vendor, undefined, "acme/m", 700);
    expect(take()).toBe(700);
  });

  it("never shows a secret", () => {
    const { book, vendor } = setUp();
    expect(JSON.stringify(book.of(vendor))).not.toMatch(/secret|"[abc]"/);
  });
});
