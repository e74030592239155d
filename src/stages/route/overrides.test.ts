import { describe, expect, it } from "vitest";
import { aDecision, aVendor, aVendorModel, modelRung, templateRung } from "../../../tests/fixtures/decision.ts";
import { routePorts } from "../../../tests/fixtures/route-ports.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { OverrideAdmin } from "./overrides.ts";
import type { RouteOverride } from "./port.ts";
import { createRoute } from "./route.ts";

const operator = { id: "op_1", name: "ada" };

function setUp() {
  const ports = routePorts();
  const admin = new OverrideAdmin(ports.store, ports.clock);
  const make = (wanted: Pick<RouteOverride, "act" | "on"> & { use_case?: string; forMs?: number }) => {
    const pending = admin.override({ forMs: 60_000, reason: "drill", operator, ...wanted });
    if (isRefusal(pending)) throw new Error(pending.code);
    const made = pending.commit();
    ports.overrides.refresh();
    return { pending, made };
  };
  const route = (regions: string[] = [], useCase = "assistant") => {
    const d = aDecision({
      clock: ports.clock,
      useCase: { name: useCase, ladder: [modelRung("large"), modelRung("second"), modelRung("third"), templateRung] },
      snapshot: {
        vendors: [aVendor(), aVendor({ name: "beta", region: "us" })],
        models: [aVendorModel(), aVendorModel({ name: "second" }), aVendorModel({ name: "third", vendor: "beta" })],
      },
      with: { regions },
    });
    createRoute(ports)(d);
    return { d, open: d.route.filter(({ eligible }) => eligible).map(({ target }) => target) };
  };
  return { ports, admin, make, route };
}

describe("overrides", () => {
  it.each([
    ["exclude a model", { act: "exclude", on: { model: "large" } }, ["second", "third", "template"]],
    ["exclude a vendor", { act: "exclude", on: { vendor: "acme" } }, ["third", "template"]],
    ["exclude a rung", { act: "exclude", on: { rung: 2 } }, ["large", "third", "template"]],
    ["force a model", { act: "force", on: { model: "second" } }, ["second", "template"]],
    ["force a vendor", { act: "force", on: { vendor: "beta" } }, ["third", "template"]],
    [
      "force what is not in the ladder",
      { act: "force", on: { model: "gone" } },
      ["large", "second", "third", "template"],
    ],
  ] as [string, Pick<RouteOverride, "act" | "on">, string[]][])("%s", (_what, wanted, open) => {
    const { make, route } = setUp();
    make(wanted);
    expect(route().open).toEqual(open);
  });

  it("never opens what policy has closed: the ladder then stands as it is", () => {
    const { make, route } = setUp();
    make({ act: "force", on: { model: "third" } });
    const { d, open } = route(["eu"]);
    expect(open).toEqual(["large", "second", "template"]);
    expect(d.route[2]).toMatchObject({ reason: "region_not_allowed" });
  });

  it("names itself, its operator and the reason in the record", () => {
    const { make, route } = setUp();
    const { made } = make({ act: "exclude", on: { model: "large" } });
    expect(route().d.route[0]).toMatchObject({
      eligible: false,
      reason: "override_excluded",
      detail: "by ada: drill",
      override: made.id,
    });
  });

  it("holds for its use case, until its time", async () => {
    const { make, route, ports, admin } = setUp();
    make({ act: "exclude", on: { model: "large" }, use_case: "assistant" });
    expect(route([], "other").open).toContain("large");
    expect(route().open).not.toContain("large");
    await ports.clock.advance(60_000);
    expect(route().open).toContain("large");
    expect(admin.list()).toEqual([]);
  });

  it("is a pending act for the journal; cleared, it is gone", () => {
    const { make, route, admin, ports } = setUp();
    const { pending, made } = make({ act: "exclude", on: { model: "large" } });
    expect(pending.act).toMatchObject({
      act: "route.override",
      on: `override:${made.id}`,
      detail: { act: "exclude", on: { model: "large" }, reason: "drill", until_ms: made.until_ms },
    });
    const clearing = admin.clear(made.id, "over");
    if (isRefusal(clearing)) throw new Error(clearing.message);
    expect(clearing.act).toMatchObject({ act: "route.clear", detail: { reason: "over" } });
    clearing.commit();
    ports.overrides.refresh();
    expect(route().open).toContain("large");
    expect(admin.clear(made.id, "again")).toMatchObject({ code: "not_found" });
  });

  it.each([0, -5, 31 * 24 * 3600_000, Number.NaN])("for %s ms is refused", (forMs) => {
    expect(() => setUp().make({ act: "exclude", on: { model: "large" }, forMs })).toThrow("invalid_request");
  });
});
