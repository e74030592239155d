import { expect, it } from "vitest";
import type { RouteReason } from "../kernel/decision.ts";
import { routeLines } from "./why.ts";

const rows: [string, RouteReason, string[]][] = [
  ["an open rung", { rung: 0, target: "large", eligible: true, reason: "eligible" }, ["rung 1     large: eligible"]],
  [
    "a closed one, with the detail",
    { rung: 1, target: "far", eligible: false, reason: "region_not_allowed", detail: "us is not among eu" },
    ["rung 2     far: not eligible, region_not_allowed (us is not among eu)"],
  ],
  [
    "a pool's member, with what was compared",
    {
      rung: 0,
      target: "b",
      eligible: true,
      reason: "eligible",
      pool: { strategy: "cheapest", place: 2, figures: { expected_nano_usd: 4200 } },
    },
    ["rung 1     b: eligible, place 2", "           in a pool, cheapest: expected_nano_usd 4200"],
  ],
  [
    "a cascade that doesn't pay",
    {
      rung: 0,
      target: "light",
      eligible: false,
      reason: "cascade_off",
      cascade: {
        state: "off",
        judged: 60,
        accepted: 0.1,
        accepted_at_most: 0.2,
        c1_nano_usd: 500_000,
        c2_nano_usd: 1_000_000,
        break_even: 0.5,
      },
    },
    [
      "rung 1     light: not eligible, cascade_off",
      "           cascade off: p(accepted) 0.1, at most 0.2, of 60 judged; worth it above 0.5 (c1 $0.0005, c2 $0.001)",
    ],
  ],
  [
    "an override",
    {
      rung: 0,
      target: "large",
      eligible: false,
      reason: "override_excluded",
      detail: "by ada: drill",
      override: "ovr_1",
    },
    ["rung 1     large: not eligible, override_excluded (by ada: drill)", "           by override ovr_1"],
  ],
];

it.each(rows)("weir why tells of %s", (_what, reason, lines) => expect(routeLines(reason)).toEqual(lines));
