import { describe, expect, it } from "vitest";
import { Cancellation, type Signal } from "./signal.ts";

describe("Cancellation", () => {
  it("tells every listener once, with the first reason, in the order in which they came", () => {
    const cancel = new Cancellation();
    const told: string[] = [];
    for (const name of ["a", "b", "c"]) cancel.addEventListener("abort", () => told.push(`${name}: ${cancel.reason}`));
    cancel.abort("gone");
    cancel.abort("again");
    expect([told, cancel.aborted, cancel.reason]).toEqual([["a: gone", "b: gone", "c: gone"], true, "gone"]);
  });

  it.each(["a", "b", "c"])("forgets a listener that was removed: %s", (removed) => {
    const cancel = new Cancellation();
    const told: string[] = [];
    const listeners = Object.fromEntries(["a", "b", "c"].map((name) => [name, () => void told.push(name)]));
    for (const listener of Object.values(listeners)) cancel.addEventListener("abort", listener);
    cancel.removeEventListener("abort", listeners[removed]!);
    cancel.abort("gone");
    expect(told).toEqual(["a", "b", "c"].filter((name) => name !== removed));
  });

  it("a listener that comes too late is not called: `aborted` tells it", () => {
    const cancel = new Cancellation();
    cancel.abort("gone");
    let told = 0;
    cancel.addEventListener("abort", () => told++);
    expect([told, cancel.aborted]).toEqual([0, true]);
  });

  it("a listener may remove another while they are told", () => {
    const cancel = new Cancellation();
    const told: string[] = [];
    const second = () => void told.push("second");
    cancel.addEventListener("abort", () => {
      told.push("first");
      cancel.removeEventListener("abort", second);
    });
    cancel.addEventListener("abort", second);
    cancel.abort("gone");
    // As with an EventTarget's copy of its list, it may have been on its way already; it is never told twice.
    expect(told.filter((name) => name === "second").length).toBeLessThanOrEqual(1);
    expect(told[0]).toBe("first");
  });

  it("a real AbortSignal is a Signal too", () => {
    const controller = new AbortController();
    const signal: Signal = controller.signal;
    let told = 0;
    signal.addEventListener("abort", () => told++, { once: true });
    controller.abort("gone");
    expect([told, signal.reason]).toEqual([1, "gone"]);
  });
});
