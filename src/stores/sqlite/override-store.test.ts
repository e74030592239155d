import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { MemoryOverrides } from "../../stages/route/index.ts";
import type { OverrideStore, RouteOverride } from "../../stages/route/port.ts";
import { openControlStore } from "./control-store.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-overrides-"));
const path = join(folder, "control.sqlite");
const control = openControlStore(path);
afterAll(() => {
  control.close();
  rmSync(folder, { recursive: true });
});

const sample = (id: string): RouteOverride => ({
  id,
  use_case: "assistant",
  act: "exclude",
  on: { vendor: "acme" },
  from_ms: 1,
  until_ms: 2,
  reason: "drill",
  operator: { id: "os:ada", name: "ada" },
});

describe.each<[string, () => OverrideStore]>([
  ["in memory", () => new MemoryOverrides()],
  ["in SQLite", () => control.overrides],
])("overrides %s", (_where, open) => {
  it("are kept as they were made, removed once, and every change shows in the version", () => {
    const store = open();
    const versions = [store.version()];
    store.insert(sample("ovr_1"));
    versions.push(store.version());
    store.insert(sample("ovr_2"));
    versions.push(store.version());
    expect(store.overrides()).toEqual([sample("ovr_1"), sample("ovr_2")]);
    expect(store.remove("ovr_1")).toBe(true);
    versions.push(store.version());
    expect(store.remove("ovr_1")).toBe(false);
    expect(store.overrides().map(({ id }) => id)).toEqual(["ovr_2"]);
    expect(new Set(versions).size).toBe(versions.length);
  });

  it("those that have run out go when a new one comes", () => {
    const store = open();
    store.insert(sample("ovr_old"));
    store.insert({ ...sample("ovr_new"), from_ms: 2, until_ms: 9 });
    expect(store.overrides().map(({ id }) => id)).not.toContain("ovr_old");
    expect(store.remove("ovr_new")).toBe(true);
  });
});

it("another process's change shows in the version and in what is read", () => {
  const cli = openControlStore(path);
  const before = control.overrides.version();
  cli.overrides.insert(sample("ovr_cli"));
  expect(control.overrides.version()).not.toBe(before);
  expect(control.overrides.overrides().map(({ id }) => id)).toContain("ovr_cli");
  cli.close();
});
