/** The conformance suite of the snapshot store, over both twins, and what only the files can suffer. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "./files.ts";
import { FilesSnapshotStore } from "./files-snapshot-store.ts";
import { MemorySnapshotStore } from "./memory-snapshot-store.ts";
import { type AppliedSnapshot, SnapshotConflict, type SnapshotStore } from "./port.ts";

const snapshot = (number: number, effective = `{"n":${number}}`): AppliedSnapshot => ({
  number,
  hash: sha256Hex(effective),
  applied_at_ms: 1_700_000_000_000 + number,
  applied_by: "dana",
  effective,
  declared: effective,
  bundles: { credit: { active: "a".repeat(64), candidate: "b".repeat(64) } },
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-snapshots-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const twins: [string, () => SnapshotStore][] = [
  ["memory", () => new MemorySnapshotStore()],
  ["files", () => new FilesSnapshotStore(join(folder, "data"))],
];

describe.each(twins)("snapshot store: %s", (_, make) => {
  it("is empty at first", async () => {
    const store = make();
    expect(await store.current()).toBeUndefined();
    expect(await store.get(1)).toBeUndefined();
    expect(await store.blob("0".repeat(64))).toBeUndefined();
  });

  it("keeps every snapshot and serves the latest", async () => {
    const store = make();
    for (const number of [1, 2, 3]) await store.add(snapshot(number));
    expect(await store.current()).toEqual(snapshot(3));
    expect(await store.get(1)).toEqual(snapshot(1));
    expect(await store.get(4)).toBeUndefined();
  });

  it.each([0, 1, 3])("refuses number %i after 1", async (number) => {
    const store = make();
    await store.add(snapshot(1));
    await expect(store.add(snapshot(number, "{}"))).rejects.toThrow(SnapshotConflict);
    expect(await store.current()).toEqual(snapshot(1));
  });

  it("lets one of two concurrent applies win", async () => {
    const store = make();
    const outcomes = await Promise.allSettled([store.add(snapshot(1, '"a"')), store.add(snapshot(1, '"b"'))]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const winner = outcomes[0].status === "fulfilled" ? '"a"' : '"b"';
    expect((await store.current())?.effective).toBe(winner);
  });

  it("keeps blobs by digest, once", async () => {
    const store = make();
    const bytes = Uint8Array.of(0, 255, 10);
    const digest = await store.putBlob(bytes);
    expect(digest).toBe(sha256Hex(bytes));
    expect(await store.putBlob(bytes)).toBe(digest);
    expect(Uint8Array.from((await store.blob(digest))!)).toEqual(bytes);
  });

  it("hands out copies: who changes one changes nothing", async () => {
    const store = make();
    await store.add(snapshot(1));
    (await store.current())!.hash = "changed";
    const digest = await store.putBlob(Uint8Array.of(1));
    (await store.blob(digest))![0] = 2;
    expect(await store.current()).toEqual(snapshot(1));
    expect(Uint8Array.from((await store.blob(digest))!)).toEqual(Uint8Array.of(1));
  });
});

describe("snapshot store: files", () => {
  const data = () => join(folder, "data");

  it("survives the process", async () => {
    await new FilesSnapshotStore(data()).add(snapshot(1));
    expect(await new FilesSnapshotStore(data()).current()).toEqual(snapshot(1));
  });

  it("leaves no temporary files, and ignores those of a crash", async () => {
    const store = new FilesSnapshotStore(data());
    await store.add(snapshot(1));
    await expect(store.add(snapshot(1))).rejects.toThrow(SnapshotConflict);
    expect(readdirSync(join(data(), "snapshots"))).toEqual(["0000000001.json"]);
    writeFileSync(join(data(), "snapshots", "0000000002.json.77-1.tmp"), "half");
    expect(await store.current()).toEqual(snapshot(1));
    await store.add(snapshot(2));
    expect(await store.current()).toEqual(snapshot(2));
  });

  it.each([
    ["changed", (text: string) => text.replace('\\"n\\":1', '\\"n\\":2')],
    ["cut off", (text: string) => text.slice(0, 40)],
  ])("refuses a snapshot that was %s", async (_, damage) => {
    const store = new FilesSnapshotStore(data());
    await store.add(snapshot(1));
    const path = join(data(), "snapshots", "0000000001.json");
    const text = readFileSync(path, "utf8");
    expect(damage(text)).not.toBe(text);
    writeFileSync(path, damage(text));
    await expect(store.current()).rejects.toThrow("is damaged");
  });

  it("refuses a damaged blob, and heals it when the bytes come again", async () => {
    const store = new FilesSnapshotStore(data());
    const digest = await store.putBlob(Uint8Array.of(1, 2, 3));
    writeFileSync(join(data(), "blobs", digest.slice(0, 2), digest), Uint8Array.of(1, 2, 4));
    await expect(store.blob(digest)).rejects.toThrow("is damaged");
    await store.putBlob(Uint8Array.of(1, 2, 3));
    expect(sha256Hex((await store.blob(digest))!)).toBe(digest);
  });
});
