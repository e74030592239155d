import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { memoryControlStore } from "../../stores/memory/control-store.ts";
import { parseApiKey, sameHmac, secretHmac } from "./api-key.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { KeyAdmin, type KeyBounds, type PendingKeyAct } from "./key-admin.ts";

const pepper = new Uint8Array(32).fill(7);
const request = {
  label: "branch app",
  tenant: "retail",
  principal: { type: "service", id: "branch" },
  use_cases: ["credit"],
} as const;

function setUp() {
  const clock = new VirtualClock();
  const { keys } = memoryControlStore();
  return { clock, keys, admin: new KeyAdmin({ keys, clock, pepper, environment: "test" }) };
}
function done<T>(pending: PendingKeyAct<T> | { refused: true }): T {
  if (isRefusal(pending)) throw new Error(pending.message);
  return (pending as PendingKeyAct<T>).commit();
}

describe("KeyAdmin", () => {
  it("mints a key whose secret is stored as an HMAC only, after commit", () => {
    const { admin, keys, clock } = setUp();
    const pending = admin.mint({ ...request, expires_in_days: 2 });
    expect(keys.all()).toEqual([]);
    const { key, record } = pending.commit();
    const parsed = parseApiKey(key)!;
    expect(parsed).toMatchObject({ environment: "test", id: record.id });
    expect(sameHmac(record.secret_hmac, secretHmac(pepper, parsed.secret))).toBe(true);
    expect(keys.all()).toEqual([record]);
    expect(record.expires_at_ms).toBe(clock.now() + 2 * 24 * 60 * 60_000);
    for (const text of [JSON.stringify(pending.act), JSON.stringify(record)]) expect(text).not.toContain(parsed.secret);
    expect(JSON.stringify(pending.act)).not.toContain(record.secret_hmac);
  });

  it("mints limits, budgets and a class of its own, says so in the record of the act, and keeps them when rotated", () => {
    const { admin, keys } = setUp();
    const bounds: KeyBounds = {
      requests_per_minute: 60,
      budgets: [{ nano_usd: nanoUsd(50_000_000_000), per: "day" }],
      priority: "batch",
    };
    const pending = admin.mint({ ...request, bounds });
    expect(pending.act.detail).toMatchObject(bounds);
    const { record } = pending.commit();
    expect(keys.all()[0]).toMatchObject(bounds);
    expect(done(admin.rotate(record.id, 0)).record).toMatchObject(bounds);
  });

  it("rotates within the key's own environment, whichever process does it", () => {
    const { admin, keys, clock } = setUp();
    const { record: old } = admin.mint(request).commit();
    const elsewhere = new KeyAdmin({ keys, clock, pepper, environment: "dev" });
    const { key, record } = done(elsewhere.rotate(old.id, 60_000));
    expect(record.environment).toBe("test");
    expect(parseApiKey(key)).toMatchObject({ environment: "test" });
  });

  it("rotates: same rights, and the old key ends after the overlap", () => {
    const { admin, keys, clock } = setUp();
    const old = done(admin.mint({ ...request, purposes: ["credit-check"], groups: ["staff"] })).record;
    const { record } = done(admin.rotate(old.id, 60_000));
    expect(record).toMatchObject({
      rotated_from: old.id,
      purposes: ["credit-check"],
      groups: ["staff"],
      use_cases: ["credit"],
    });
    expect(record.expires_at_ms).toBeUndefined();
    expect(record.id).not.toBe(old.id);
    expect(keys.all().find((k) => k.id === old.id)?.expires_at_ms).toBe(clock.now() + 60_000);
  });

  it("never lengthens a key's life by rotation", async () => {
    const { admin, keys, clock } = setUp();
    const old = done(admin.mint({ ...request, expires_in_days: 1 })).record;
    await clock.advance(60_000);
    const { record } = done(admin.rotate(old.id, 30 * 24 * 60 * 60_000));
    expect(keys.all().find((k) => k.id === old.id)?.expires_at_ms).toBe(old.expires_at_ms);
    expect(record.expires_at_ms).toBe(clock.now() + 24 * 60 * 60_000);
  });

  it("revokes for good, keeping the first time", async () => {
    const { admin, keys, clock } = setUp();
    const { id } = done(admin.mint(request)).record;
    done(admin.revoke(id, "leaked"));
    const first = keys.all()[0]!.revoked_at_ms;
    await clock.advance(5_000);
    done(admin.revoke(id, "again"));
    expect(keys.all()[0]!.revoked_at_ms).toBe(first);
    expect(admin.rotate(id, 0)).toMatchObject({ code: "invalid_request" });
  });

  it("refuses unknown and expired keys", async () => {
    const { admin, clock } = setUp();
    expect(admin.rotate("nope", 0)).toMatchObject({ code: "not_found" });
    expect(admin.revoke("nope", "x")).toMatchObject({ code: "not_found" });
    const { id } = done(admin.mint({ ...request, expires_in_days: 1 })).record;
    await clock.advance(24 * 60 * 60_000);
    expect(admin.rotate(id, 0)).toMatchObject({ code: "invalid_request" });
  });
});
