import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { MemoryFiles } from "../stores/files/index.ts";
import { type KekPort, openFileKek, openKeyRing, verifyStore } from "./index.ts";
import { lockPath } from "./layout.ts";

const dir = "ledger";
const kek: KekPort = {
  id: "plain",
  wrap: async (secret) => secret.slice(),
  unwrap: async (wrapped) => wrapped.slice(),
};

async function ring(files = new MemoryFiles(), node = "server", seed = 1) {
  const clock = new VirtualClock(1_767_225_600_000, seed);
  return { files, clock, keys: await openKeyRing({ files, clock, dir, node, kek }) };
}

describe("the key ring", () => {
  it("gives one key per subject, and per tenant and UTC day, the same after a restart", async () => {
    const { files, keys } = await ring();
    const day = 1_767_225_600_000;
    const scopes = [
      [{ tenant: "t" }, day],
      [{ tenant: "t" }, day + 86_400_000],
      [{ tenant: "u" }, day],
      [{ tenant: "t", subject: "a" }, day],
      [{ tenant: "u", subject: "a" }, day],
    ] as const;
    const made = scopes.map(([key, at]) => keys.keyFor(key, at));
    expect(new Set(made.map(({ id }) => id)).size).toBe(scopes.length);
    expect(keys.keyFor({ tenant: "t" }, day + 86_399_999)).toEqual(made[0]);
    expect(keys.keyFor({ tenant: "t", subject: "a" }, day + 900_000_000)).toEqual(made[3]);
    await keys.persist();
    const again = (await ring(files.crash(), "server", 2)).keys;
    for (const [i, [key, at]] of scopes.entries()) expect(again.keyFor(key, at)).toEqual(made[i]);
  });

  it("makes keys durable in one append, and does nothing when there are none", async () => {
    const { files, keys } = await ring();
    keys.keyFor({ tenant: "t" }, 0);
    keys.keyFor({ tenant: "u" }, 0);
    await keys.persist();
    const before = files.calls.length;
    await keys.persist();
    expect(files.calls.length).toBe(before);
    expect(files.calls.filter((call) => call === "datasync")).toHaveLength(1);
  });

  it.each(["write", "datasync", "open", "replace"] as const)(
    "keeps new keys for the next try when %s fails",
    async (call) => {
      const { files, keys } = await ring();
      await keys.persist();
      const { id } = keys.keyFor({ tenant: "t" }, 0);
      files.fail({ at: 1, call, times: 2 });
      if (call !== "open") files.fail({ at: 1, call: "replace" });
      await keys.persist().catch(() => {});
      files.heal();
      await keys.persist();
      expect(await (await ring(files.crash())).keys.find(id)).toBeInstanceOf(Uint8Array);
    },
  );

  it("destroys a key for good: a tombstone remains, the wrapped bytes don't, a new key takes over", async () => {
    const { files, keys } = await ring();
    const subject = { tenant: "t", subject: "a" };
    const gone = keys.keyFor(subject, 0);
    const stays = keys.keyFor({ tenant: "t" }, 0);
    await keys.persist();
    const before = Buffer.from((await files.read(`${dir}/server/keys.log`))!).toString();
    const wrapped = new RegExp(`"id":"${gone.id}"[^}]*"wrapped":"([^"]+)"`).exec(before)![1]!;
    expect(await keys.keysOf(subject)).toEqual([gone.id]);
    await keys.destroy(gone.id);
    await keys.destroy(gone.id);
    expect(await keys.find(gone.id)).toBe("erased");
    expect(await keys.keysOf(subject)).toEqual([]);
    await expect(keys.destroy("key_unknown")).rejects.toMatchObject({ code: "ledger_not_found" });
    const after = files.crash();
    for (const path of after.paths()) expect(Buffer.from((await after.read(path))!).includes(wrapped)).toBe(false);
    const again = (await ring(after, "server", 5)).keys;
    expect(await again.find(gone.id)).toBe("erased");
    expect(await again.find(stays.id)).toEqual(stays.secret);
    expect(again.keyFor(subject, 0).id).not.toBe(gone.id);
  });

  it("destroys a key that was never written", async () => {
    const { files, keys } = await ring();
    const { id } = keys.keyFor({ tenant: "t" }, 0);
    await keys.destroy(id);
    await keys.persist();
    expect(await (await ring(files.crash())).keys.find(id)).toBe("erased");
  });

  it("reads other nodes' keys as they appear, and erases them only when that node is not running", async () => {
    const files = new MemoryFiles();
    const server = (await ring(files, "server", 1)).keys;
    const cli = (await ring(files, "cli", 2)).keys;
    const subject = { tenant: "t", subject: "a" };
    const { id, secret } = server.keyFor(subject, 0);
    await server.persist();
    expect(await cli.find(id)).toEqual(secret);
    expect(cli.keyFor(subject, 0).id).not.toBe(id);
    expect(await cli.keysOf(subject)).toHaveLength(2);
    const lock = await files.lock(lockPath(dir, "server"));
    await expect(cli.destroy(id)).rejects.toMatchObject({ code: "ledger_locked" });
    await lock.release();
    await cli.destroy(id);
    expect(await cli.find(id)).toBe("erased");
    expect(await (await ring(files, "server", 3)).keys.find(id)).toBe("erased");
  });

  it("a ring that was opened before another process of its node wrote keeps what that one wrote and erased", async () => {
    const files = new MemoryFiles();
    const start = (await ring(files, "cli", 1)).keys;
    const erased = start.keyFor({ tenant: "t", subject: "gone" }, 0);
    await start.persist();
    const first = (await ring(files, "cli", 2)).keys;
    const second = (await ring(files, "cli", 3)).keys;
    const a = first.keyFor({ tenant: "t", subject: "a" }, 0);
    await first.persist();
    await first.destroy(erased.id);
    await second.persist();
    const b = second.keyFor({ tenant: "t", subject: "b" }, 0);
    expect(second.keyFor({ tenant: "t", subject: "gone" }, 0).id).not.toBe(erased.id);
    await second.persist();
    const later = (await ring(files.crash(), "cli", 4)).keys;
    expect([await later.find(a.id), await later.find(b.id)]).toEqual([a.secret, b.secret]);
    expect(await later.find(erased.id)).toBe("erased");
  });

  it("without a node reads everything and writes nothing", async () => {
    const { files, clock, keys } = await ring();
    const { id, secret } = keys.keyFor({ tenant: "t", subject: "a" }, 0);
    await keys.persist();
    const reader = await openKeyRing({ files, clock, dir, kek });
    expect(await reader.find(id)).toEqual(secret);
    expect(() => reader.keyFor({ tenant: "t" }, 0)).toThrow("only reads");
    await reader.destroy(id);
    expect(await reader.find(id)).toBe("erased");
  });

  it("gives stable pseudonyms that tell nothing without the ring", async () => {
    const { files, keys } = await ring();
    const name = keys.pseudonym("t", "customer-4711");
    expect(name).toMatch(/^[a-z2-7]{26}$/);
    expect((await ring(files, "cli", 9)).keys.pseudonym("t", "customer-4711")).toBe(name);
    expect(keys.pseudonym("u", "customer-4711")).not.toBe(name);
    expect((await ring(new MemoryFiles(), "server", 9)).keys.pseudonym("t", "customer-4711")).not.toBe(name);
  });

  it("does not start with a damaged ring or the wrong key-encryption key, and never quotes it", async () => {
    const { files, clock } = await ring();
    const bytes = (await files.read(`${dir}/ring.json`))!;
    files.put(`${dir}/ring.json`, bytes.slice(0, -4));
    await expect(ring(files)).rejects.toMatchObject({ code: "ledger_corrupt" });
    expect((await verifyStore({ dir, files })).findings.map(({ code }) => code)).toContain("ring_damaged");
    const fresh = new MemoryFiles();
    const open = async (path: string) =>
      openKeyRing({ files: fresh, clock, dir, node: "server", kek: await openFileKek({ files: fresh, clock, path }) });
    await open("kek-1");
    await open("kek-1");
    await expect(open("kek-2")).rejects.toMatchObject({
      code: "ledger_key_unavailable",
      message: expect.stringMatching(/configure that key/),
    });
  });
});
