import { nanoUsd } from "../../kernel/money.ts";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { memoryControlStore } from "../../stores/memory/control-store.ts";
import { makeApiKey, secretHmac } from "./api-key.ts";
import { KeyDirectory } from "./key-directory.ts";
import type { ApiKeyRecord, KeyStore } from "./port.ts";

const pepper = new Uint8Array(32).fill(3);

function setUp(over: Partial<ApiKeyRecord> = {}, store: KeyStore = memoryControlStore().keys) {
  const clock = new VirtualClock();
  const add = (more: Partial<ApiKeyRecord> = {}) => {
    const key = makeApiKey(clock, more.environment ?? "test");
    store.insert({
      id: key.id,
      secret_hmac: secretHmac(pepper, key.secret),
      label: "app",
      tenant: "retail",
      environment: "test",
      principal: { type: "service", id: "branch-app" },
      use_cases: ["credit"],
      purposes: ["lending"],
      groups: ["staff"],
      created_at_ms: clock.now(),
      ...more,
    });
    return key;
  };
  const key = add(over);
  const directory = new KeyDirectory({ store, pepper, environment: "test", clock });
  return { clock, store, add, key, directory };
}
const codeOf = (answer: unknown) => (isRefusal(answer) ? answer.code : "ok");

describe("KeyDirectory", () => {
  it("turns a key into its principal, limits included and nothing of the secret", () => {
    const { directory, key } = setUp({
      requests_per_minute: 60,
      tokens_per_minute: 1000,
      concurrency: 2,
      budgets: [{ nano_usd: nanoUsd(5), per: "day" }],
      priority: "batch",
    });
    const principal = directory.identify(key.text);
    expect(principal).toEqual({
      type: "service",
      id: "branch-app",
      credential: key.id,
      tenant: "retail",
      environment: "test",
      use_cases: ["credit"],
      purposes: ["lending"],
      groups: ["staff"],
      requests_per_minute: 60,
      tokens_per_minute: 1000,
      concurrency: 2,
      budgets: [{ nano_usd: 5, per: "day" }],
      priority: "batch",
    });
  });

  const hour = 3_600_000;
  const start = new VirtualClock().now();
  const rows: [string, Partial<ApiKeyRecord>, string][] = [
    ["a good one", {}, "ok"],
    ["one that expires later", { expires_at_ms: start + hour }, "ok"],
    ["one that expires now", { expires_at_ms: start }, "expired_key"],
    ["an expired one", { expires_at_ms: start - 1 }, "expired_key"],
    ["a revoked one", { revoked_at_ms: start - 1 }, "revoked_key"],
    ["a revoked one that has also expired", { revoked_at_ms: start - 1, expires_at_ms: start - 1 }, "revoked_key"],
    ["one of another environment", { environment: "prod" }, "wrong_environment"],
    ["one whose record is damaged", { secret_hmac: "" }, "invalid_key"],
  ];
  it.each(rows)("%s", (_what, over, code) => {
    const { directory, key } = setUp(over);
    expect(codeOf(directory.identify(key.text))).toBe(code);
  });

  it.each([
    ["nothing", undefined, "unauthenticated"],
    ["an empty credential", "", "unauthenticated"],
    ["what is no key", "Bearer x", "invalid_key"],
  ])("%s", (_what, credential, code) => expect(codeOf(setUp().directory.identify(credential))).toBe(code));

  it("answers an unknown id and a wrong secret in the same words", () => {
    const { directory, key, clock } = setUp();
    const unknown = makeApiKey(clock, "test");
    const other = setUp();
    other.store.insert({ ...other.store.all()[0]!, id: unknown.id });
    const wrongSecret = other.directory;
    wrongSecret.refresh();
    expect(wrongSecret.identify(unknown.text)).toEqual(directory.identify(unknown.text));
    expect(codeOf(directory.identify(unknown.text))).toBe("invalid_key");
    expect(codeOf(directory.identify(key.text))).toBe("ok");
  });

  it("says in no refusal what the key was", () => {
    const { directory, clock } = setUp();
    for (const environment of ["test", "prod"] as const) {
      const key = makeApiKey(clock, environment);
      const answer = JSON.stringify(directory.identify(key.text));
      expect(answer).not.toContain(key.secret);
      expect(answer).not.toContain(key.id);
    }
  });

  it("expires a key at its time, without a refresh", async () => {
    const { directory, key, clock } = setUp({ expires_at_ms: start + 1000 });
    await clock.advance(999);
    expect(codeOf(directory.identify(key.text))).toBe("ok");
    await clock.advance(1);
    expect(codeOf(directory.identify(key.text))).toBe("expired_key");
    expect(codeOf(directory.isLive(key.id))).toBe("expired_key");
  });

  it("rotation: both keys hold until the old one's time has come", async () => {
    const { directory, store, add, key, clock } = setUp();
    const next = add({ rotated_from: key.id });
    store.update(key.id, { expires_at_ms: clock.now() + 500 });
    directory.refresh();
    expect([codeOf(directory.identify(key.text)), codeOf(directory.identify(next.text))]).toEqual(["ok", "ok"]);
    await clock.advance(500);
    expect([codeOf(directory.identify(key.text)), codeOf(directory.identify(next.text))]).toEqual([
      "expired_key",
      "ok",
    ]);
  });

  it("reads the store again only when its version changed", () => {
    const { keys } = memoryControlStore();
    let reads = 0;
    const store: KeyStore = { ...keys, all: () => ((reads += 1), keys.all()) };
    const { directory, add } = setUp({}, store);
    expect(reads).toBe(1);
    directory.refresh();
    expect(reads).toBe(1);
    const next = add();
    expect(codeOf(directory.identify(next.text))).toBe("invalid_key");
    directory.refresh();
    expect(reads).toBe(2);
    expect(codeOf(directory.identify(next.text))).toBe("ok");
  });

  it("watch: a revocation anywhere works here within 200 ms, and stop ends the watching", async () => {
    const { directory, store, key, clock } = setUp();
    directory.watch(() => expect.unreachable());
    store.update(key.id, { revoked_at_ms: clock.now() });
    await clock.advance(200);
    expect(codeOf(directory.identify(key.text))).toBe("revoked_key");
    expect(codeOf(directory.isLive(key.id))).toBe("revoked_key");
    directory.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it("watch: a store that can't be read is reported, keeps the keys known so far, and is asked again", async () => {
    const { keys } = memoryControlStore();
    let down = false;
    const store: KeyStore = {
      ...keys,
      version: () => {
        if (down) throw new Error("SQLITE_BUSY");
        return keys.version();
      },
    };
    const { directory, key, clock } = setUp({}, store);
    const reported: unknown[] = [];
    directory.watch((fault) => reported.push(fault));
    down = true;
    await clock.advance(400);
    expect(reported).toHaveLength(2);
    expect(codeOf(directory.identify(key.text))).toBe("ok");
    down = false;
    store.update(key.id, { revoked_at_ms: clock.now() });
    await clock.advance(200);
    expect(codeOf(directory.identify(key.text))).toBe("revoked_key");
    directory.stop();
  });

  it("isLive: a key that is no longer known is as good as revoked", () => {
    const { directory, key } = setUp();
    expect(codeOf(directory.isLive(key.id))).toBe("ok");
    expect(codeOf(directory.isLive("k00000000000"))).toBe("revoked_key");
  });
});
