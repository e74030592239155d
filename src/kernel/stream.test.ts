import { describe, expect, it } from "vitest";
import { heldStream } from "./stream.ts";

function setUp() {
  const log: string[] = [];
  const stream = heldStream(
    async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        log.push("let go within");
      }
    },
    () => void log.push("let go without"),
  );
  return { stream, log };
}

describe("heldStream: what is held is let go exactly once", () => {
  it("read to its end", async () => {
    const { stream, log } = setUp();
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual([1, 2]);
    expect(log).toEqual(["let go within"]);
  });

  it("left after it was begun", async () => {
    const { stream, log } = setUp();
    for await (const _item of stream) break;
    expect(log).toEqual(["let go within"]);
  });

  it("left before it was begun, and again", async () => {
    const { stream, log } = setUp();
    await stream.return!();
    await stream.return!();
    expect(log).toEqual(["let go without"]);
    expect((await stream.next()).done).toBe(true);
    expect(log).toEqual(["let go without"]);
  });
});
