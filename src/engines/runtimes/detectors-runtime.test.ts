import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { createDetectorsRuntime } from "./detectors-runtime.ts";
import type { ModerateModel } from "./port.ts";

const scan = (text: string, wanted: ReadonlySet<string>) =>
  text
    .split(" ")
    .filter((word) => wanted.has(word))
    .map((detector) => ({ detector }));

async function load(clock = new VirtualClock()): Promise<ModerateModel> {
  const model = await createDetectorsRuntime({ clock, names: ["card", "email"], scan }).load({ name: "detectors" });
  if (model.kind !== "moderate") throw new Error(`it is a ${model.kind} model`);
  return model;
}

describe("the detectors as a model", () => {
  it("counts what each detector finds in each text, and says nothing of others", async () => {
    const model = await load();
    expect(await model.judge(["card card", "nothing"], ["card"])).toEqual([{ card: 2 }, { card: 0 }]);
    expect(await model.judge(["email"], undefined)).toEqual([{ card: 0, email: 1 }]);
  });

  it("lets others have their turn between long texts, and stops when nobody waits any more", async () => {
    const clock = new VirtualClock();
    const model = await load(clock);
    const going = new AbortController();
    const long = "a".repeat(64 * 1024);
    const judged = model.judge([long, "card"], ["card"], going.signal).catch((reason: unknown) => reason);
    const gone = new Error("gone");
    going.abort(gone);
    await clock.advance(1);
    expect(await judged).toBe(gone);
  });
});
