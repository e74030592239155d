import fc from "fast-check";
import { expect, it } from "vitest";
import { RollingWindow } from "./rolling-window.ts";

it("law: it holds what the last minute brought, to the bucket", () => {
  const event = fc.tuple(fc.nat(9_000), fc.boolean());
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const window = new RollingWindow();
      const seen: { bucket: number; failed: boolean }[] = [];
      let now = 0;
      for (const [ms, failed] of events) {
        now += ms;
        window.add(now, failed);
        seen.push({ bucket: Math.floor(now / 5_000), failed });
      }
      const recent = seen.filter(({ bucket }) => bucket > Math.floor(now / 5_000) - 12);
      expect(window.totals(now)).toEqual({
        requests: recent.length,
        failures: recent.filter(({ failed }) => failed).length,
      });
      expect(window.totals(now + 60_000)).toEqual({ requests: 0, failures: 0 });
    }),
  );
});
