import { describe, expect, it } from "vitest";
import { inThreadTurn } from "./thread-turn.ts";

describe("inThreadTurn", () => {
  it("lets no two acts overlap, in order, and goes on after a failure", async () => {
    let inside = 0;
    const order: number[] = [];
    const act = (id: number) => async () => {
      expect(inside++).toBe(0);
      for (let i = 0; i < 5; i++) await undefined;
      inside--;
      order.push(id);
      if (id === 2) throw new Error("second");
      return id;
    };
    const first = [1, 2, 3].map((id) => inThreadTurn(act(id)));
    expect(await Promise.allSettled(first)).toEqual([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: new Error("second") },
      { status: "fulfilled", value: 3 },
    ]);
    expect(await inThreadTurn(act(4))).toBe(4);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("keeps the turn of an act that is asked for by the one before", async () => {
    const order: string[] = [];
    const outer = inThreadTurn(async () => {
      const inner = inThreadTurn(async () => order.push("inner"));
      await undefined;
      order.push("outer");
      return { inner };
    });
    await (
      await outer
    ).inner;
    expect(order).toEqual(["outer", "inner"]);
  });
});
