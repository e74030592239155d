import fc from "fast-check";
import { expect, it } from "vitest";
import { aTraced } from "./test-decisions.ts";
import { TraceRing } from "./trace-ring.ts";

it("law: keeps the newest in order, and counts what it lost", () => {
  const steps = fc.array(fc.oneof(fc.constant("add" as const), fc.integer({ min: 1, max: 4 })));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), steps, (capacity, script) => {
      const ring = new TraceRing(capacity);
      let model: number[] = [];
      let added = 0;
      let lost = 0;
      for (const step of script) {
        if (step === "add") {
          ring.add(aTraced({ status: added }));
          model.push(added++);
          if (model.length > capacity) lost += 1;
          model = model.slice(-capacity);
        } else expect(ring.take(step).map(({ meta }) => meta.status)).toEqual(model.splice(0, step));
        expect([ring.waiting, ring.lost]).toEqual([model.length, lost]);
      }
    }),
  );
});
