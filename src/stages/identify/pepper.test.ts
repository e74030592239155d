import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { MemoryFiles } from "../../stores/files/memory-files.ts";
import { openPepper } from "./pepper.ts";

const path = "data/keys/pepper.key";

describe("openPepper", () => {
  it("makes 32 bytes once and gives the same ones ever after", async () => {
    const files = new MemoryFiles();
    const first = await openPepper(files, new VirtualClock(0, 1), path);
    expect(first.length).toBe(32);
    expect(Buffer.from(await openPepper(files, new VirtualClock(0, 2), path)).equals(first)).toBe(true);
  });

  it("asks for a file that only its owner reads and never replaces one", async () => {
    const asked: unknown[] = [];
    const kept = Buffer.from(`${Buffer.alloc(32, 9).toString("base64")}\n`);
    const files = {
      read: async () => kept,
      replace: async (_path: string, _bytes: Uint8Array, options: unknown) => (asked.push(options), false),
    };
    expect([...(await openPepper(files, new VirtualClock(), path))]).toEqual(Array(32).fill(9));
    expect(asked).toEqual([{ mode: 0o600, onlyIfAbsent: true }]);
  });

  it.each([
    ["empty", ""],
    ["too short", Buffer.alloc(31).toString("base64")],
    ["too long", Buffer.alloc(33).toString("base64")],
    ["something else", "not a key at all"],
  ])("refuses a file that is %s: name it, say what to do, show nothing of it", async (_what, text) => {
    const files = new MemoryFiles();
    await files.replace(path, Buffer.from(text));
    const refused = openPepper(files, new VirtualClock(), path);
    await expect(refused).rejects.toThrow(/pepper\.key must hold 32 bytes.*backup/);
    if (text !== "") await expect(refused).rejects.not.toThrow(text);
  });
});
