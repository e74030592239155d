import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OperatorId } from "../../kernel/ids.ts";
import { describeControlStores, sampleKey } from "../../operators/store-conformance.ts";
import { openControlStore } from "./control-store.ts";

const inFolder = (): { path: string; remove(): void } => {
  const folder = mkdtempSync(join(tmpdir(), "weir-control-"));
  return { path: join(folder, "control.sqlite"), remove: () => rmSync(folder, { recursive: true }) };
};

describeControlStores("openControlStore", () => {
  const { path, remove } = inFolder();
  const stores = openControlStore(path);
  const close = () => {
    stores.close();
    remove();
  };
  return { stores, close };
});

describe("control.sqlite", () => {
  let place: ReturnType<typeof inFolder>;
  beforeEach(() => void (place = inFolder()));
  afterEach(() => place.remove());

  it("removes a passkey and no other", async () => {
    const { passkeys, close } = openControlStore(place.path);
    const passkey = {
      public_key: "k",
      counter: 0,
      transports: [],
      created_at_ms: 1,
      operator_id: "op_1" as OperatorId,
    };
    for (const id of ["one", "two"]) await passkeys.insert({ id, ...passkey });
    await passkeys.remove("one");
    await passkeys.remove("none");
    expect((await passkeys.of("op_1")).map(({ id }) => id)).toEqual(["two"]);
    close();
  });

  it("shows another connection's changes in the version and in the records", () => {
    const server = openControlStore(place.path);
    const cli = openControlStore(place.path);
    const before = server.keys.version();
    cli.keys.insert(sampleKey("k1"));
    expect(server.keys.version()).not.toBe(before);
    expect(server.keys.all().map((k) => k.id)).toEqual(["k1"]);
    const after = server.keys.version();
    expect(server.keys.version()).toBe(after);
    server.close();
    cli.close();
  });

  it("opens and reads while another process writes", () => {
    const server = openControlStore(place.path);
    server.keys.insert(sampleKey("k1"));
    const other = new DatabaseSync(place.path);
    other.exec("begin immediate");
    const second = openControlStore(place.path);
    expect(second.keys.all()).toHaveLength(1);
    second.close();
    other.exec("rollback");
    other.close();
    server.close();
  });

  it("survives being closed, and is readable by its owner only", () => {
    const first = openControlStore(place.path);
    first.keys.insert(sampleKey("k1"));
    first.close();
    const second = openControlStore(place.path);
    expect(second.keys.all()).toHaveLength(1);
    second.close();
    expect(statSync(place.path).mode & 0o077).toBe(0);
  });

  it("is not touched when it is newer, and not replaced when it is damaged", () => {
    const db = new DatabaseSync(place.path);
    db.exec("pragma user_version = 99");
    db.close();
    expect(() => openControlStore(place.path)).toThrow(/newer/);
    writeFileSync(place.path, "x".repeat(5_000));
    expect(() => openControlStore(place.path)).toThrow(/not a database/);
    expect(statSync(place.path).size).toBe(5_000);
  });
});
