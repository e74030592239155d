import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileFault, type FilePort, MemoryFiles, nodeFiles } from "./index.ts";

const base = mkdtempSync(join(tmpdir(), "weir-files-"));
afterAll(() => rmSync(base, { recursive: true }));

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);

const holder = (over: object): string =>
  Object.entries({ pid: process.pid, host: hostname(), boot: "", started: "", ...over })
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");

const makers: [string, () => { files: FilePort; root: string }][] = [
  ["the real disk", () => ({ files: nodeFiles, root: mkdtempSync(join(base, "case-")) })],
  ["the twin", () => ({ files: new MemoryFiles(), root: "root" })],
];

describe.each(makers)("%s", (_, make) => {
  it("reads what was written where it was written, in ranges, and nothing where there is nothing", async () => {
    const { files, root } = make();
    const path = `${root}/a/b/file`;
    expect(await files.read(path)).toBeUndefined();
    const file = await files.open(path);
    expect(await file.size()).toBe(0);
    await file.write(bytesOf("hello world"), 0);
    await file.write(bytesOf("W"), 6);
    await file.datasync();
    await file.write(bytesOf("!"), 12);
    expect(textOf(await files.read(path))).toBe("hello World\0!");
    expect(textOf(await files.read(path, 6, 5))).toBe("World");
    expect(textOf(await files.read(path, 12, 100))).toBe("!");
    expect(textOf(await files.read(path, 100, 5))).toBe("");
    await file.truncate(5);
    expect(await file.size()).toBe(5);
    expect(textOf(await files.read(path))).toBe("hello");
    await file.close();
    const again = await files.open(path);
    expect(await again.size()).toBe(5);
    await again.close();
  });

  it("keeps a copy of what is written: the caller's buffer may be reused", async () => {
    const { files, root } = make();
    const buffer = Buffer.from("first");
    const file = await files.open(`${root}/file`);
    await file.write(buffer, 0);
    await files.replace(`${root}/small`, buffer);
    buffer.fill(0);
    await file.datasync();
    await file.close();
    expect(textOf(await files.read(`${root}/file`))).toBe("first");
    expect(textOf(await files.read(`${root}/small`))).toBe("first");
  });

  it("replaces whole files, or leaves them when asked to", async () => {
    const { files, root } = make();
    const path = `${root}/deep/small`;
    expect(await files.replace(path, bytesOf("one"), { onlyIfAbsent: true })).toBe(true);
    expect(await files.replace(path, bytesOf("two"), { onlyIfAbsent: true })).toBe(false);
    expect(textOf(await files.read(path))).toBe("one");
    expect(await files.replace(path, bytesOf("three"))).toBe(true);
    expect(textOf(await files.read(path))).toBe("three");
    expect((await files.list(`${root}/deep`)).map(({ name }) => name)).toEqual(["small"]);
  });

  it("lists what is directly below, sorted, and removes without complaint", async () => {
    const { files, root } = make();
    expect(await files.list(`${root}/none`)).toEqual([]);
    for (const name of ["b", "a/x", "c"]) await files.replace(`${root}/${name}`, bytesOf(name));
    expect(await files.list(root)).toEqual([
      { name: "a", folder: true, size: 0 },
      { name: "b", folder: false, size: 1 },
      { name: "c", folder: false, size: 1 },
    ]);
    await files.remove(`${root}/b`);
    await files.remove(`${root}/b`);
    await files.remove(`${root}/c`, { emptyFolder: true });
    await files.remove(`${root}/a/x`, { emptyFolder: true });
    expect(await files.list(root)).toEqual([]);
    expect(await files.read(`${root}/b`)).toBeUndefined();
  });

  it("gives a lock to one holder at a time", async () => {
    const { files, root } = make();
    const path = `${root}/lock`;
    expect(await files.locked(path)).toBe(false);
    const lock = await files.lock(path);
    expect(await files.locked(path)).toBe(true);
    await expect(files.lock(path)).rejects.toMatchObject({ code: "locked" });
    await lock.release();
    expect(await files.locked(path)).toBe(false);
    await (await files.lock(path)).release();
  });
});

describe("the real disk", () => {
  const locks = mkdtempSync(join(base, "locks-"));
  it("keeps secrets to their owner", async () => {
    await nodeFiles.replace(`${base}/secret`, bytesOf("x"), { mode: 0o600 });
    expect(statSync(`${base}/secret`).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["a pid that no process has", holder({ pid: 4_000_000 })],
    ["our pid in an earlier life", holder({ started: "1" })],
    ["another process's pid in an earlier life", holder({ pid: process.ppid, started: "1" })],
    ["an earlier boot", holder({ pid: process.ppid, boot: "00000000-0000-0000-0000-000000000000" })],
    ["nothing readable", "?"],
  ])("takes over a lock of %s", async (name, text) => {
    const path = join(locks, name.replaceAll(" ", "-"));
    writeFileSync(path, text);
    expect(await nodeFiles.locked(path)).toBe(false);
    const lock = await nodeFiles.lock(path);
    expect(readFileSync(path, "utf8")).toContain(`pid ${process.pid}\n`);
    await lock.release();
  });

  it.each([
    ["a living process", holder({ pid: process.ppid })],
    ["another machine, of which nothing is known", holder({ pid: 4_000_000, host: "elsewhere" })],
  ])("respects a lock of %s", async (name, text) => {
    const path = join(locks, name.replaceAll(" ", "-"));
    writeFileSync(path, text);
    await expect(nodeFiles.lock(path)).rejects.toThrow("stop that process, or remove the file");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("names path and code when the system refuses", async () => {
    const failure = await nodeFiles.open(`${base}`).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FileFault);
    expect(failure).toMatchObject({ code: "EISDIR", path: base });
  });
});

describe("the twin's cache", () => {
  it.each([
    ["is lost", {}, "kept"],
    ["survives torn", { tornBytes: 3 }, "kept, l"],
    ["survives", { tornBytes: 99 }, "kept, lost"],
    ["is zeros", { tornBytes: 1, zeros: true }, "kept,\0\0\0\0\0"],
  ])("%s in a crash", async (_, survival, expected) => {
    const files = new MemoryFiles();
    const file = await files.open("file");
    await file.write(bytesOf("kept"), 0);
    await file.datasync();
    await file.write(bytesOf(", lost"), 4);
    expect(textOf(await files.crash(survival).read("file"))).toBe(expected);
  });

  it("forgets what a failed datasync was to write, as kernels do", async () => {
    const files = new MemoryFiles();
    const file = await files.open("file");
    await file.write(bytesOf("gone"), 0);
    files.fail({ at: 1, call: "datasync" });
    await expect(file.datasync()).rejects.toMatchObject({ code: "EIO" });
    await file.datasync();
    expect(textOf(await files.read("file"))).toBe("gone");
    expect(textOf(await files.crash({ tornBytes: 99 }).read("file"))).toBe("");
  });
});
