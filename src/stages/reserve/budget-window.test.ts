import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { budgetWindows } from "../../kernel/snapshot.ts";
import { windowEndMs, windowStartMs } from "./budget-window.ts";

const at = (text: string) => Date.parse(`${text}Z`);

describe("budget windows", () => {
  it.each([
    ["hour", "2026-02-28T23:59:59.999", "2026-02-28T23:00:00", "2026-03-01T00:00:00"],
    ["day", "2026-02-28T23:59:59.999", "2026-02-28T00:00:00", "2026-03-01T00:00:00"],
    ["week", "2026-11-22T10:00:00", "2026-11-16T00:00:00", "2026-11-23T00:00:00"],
    ["week", "2026-11-23T00:00:00", "2026-11-23T00:00:00", "2026-11-30T00:00:00"],
    ["week", "2027-01-01T00:00:00", "2026-12-28T00:00:00", "2027-01-04T00:00:00"],
    ["month", "2026-12-31T23:59:59.999", "2026-12-01T00:00:00", "2027-01-01T00:00:00"],
    ["month", "2028-02-29T12:00:00", "2028-02-01T00:00:00", "2028-03-01T00:00:00"],
  ] as const)("%s of %s", (per, now, start, end) => {
    expect([windowStartMs(per, at(now)), windowEndMs(per, at(now))]).toEqual([at(start), at(end)]);
  });

  it("law: windows tile time, and each begins on the hour", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...budgetWindows),
        fc.integer({ min: 0, max: at("2100-01-01T00:00:00") }),
        (per, now) => {
          const [start, end] = [windowStartMs(per, now), windowEndMs(per, now)];
          expect(start <= now && now < end).toBe(true);
          expect([windowStartMs(per, end), windowEndMs(per, start), windowStartMs(per, end - 1)]).toEqual([
            end,
            end,
            start,
          ]);
          expect(Math.abs(start % 3_600_000)).toBe(0);
        },
      ),
    );
  });
});
