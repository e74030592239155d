import { describe, expect, it } from "vitest";
import { PulledStream } from "./stream.ts";

class Counted extends PulledStream<number> {
  readonly log: string[] = [];
  #next = 1;

  protected async pull(): Promise<number | undefined> {
    if (this.#next <= 2) return this.#next++;
    this.over = true;
    this.log.push("let go at the end");
    return undefined;
  }

  protected leave(): void {
    this.log.push("left");
  }
}

describe("PulledStream: what is held is let go exactly once", () => {
  it("read to its end", async () => {
    const stream = new Counted();
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    await stream.return();
    expect(items).toEqual([1, 2]);
    expect(stream.log).toEqual(["let go at the end"]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(stream.log).toEqual(["let go at the end"]);
  });

  it("left after it was begun", async () => {
    const stream = new Counted();
    for await (const _item of stream) break;
    expect(stream.log).toEqual(["left"]);
  });

  it("left before it was begun, and again", async () => {
    const stream = new Counted();
    await stream.return();
    await stream.return();
    expect(stream.log).toEqual(["left"]);
    expect((await stream.next()).done).toBe(true);
    expect(stream.log).toEqual(["left"]);
  });
});
