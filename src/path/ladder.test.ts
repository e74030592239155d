import { describe, expect, it } from "vitest";
import { aDecision, referRung, templateRung } from "../../tests/fixtures/decision.ts";
import { refuse } from "../kernel/errors.ts";
import { nextRung } from "./ladder.ts";

const steps = [
  { index: 1, rung: templateRung },
  { index: 4, rung: referRung },
];

describe("nextRung", () => {
  it.each([
    ["the first of the eligible ones", undefined, steps[0]],
    ["the one after the last taken", steps[0], steps[1]],
    ["none after the last", steps[1], undefined],
  ])("%s", (_name, after, next) => expect(nextRung(aDecision({ with: { rungs: steps } }), after)).toBe(next));

  it("none when nothing is eligible", () => expect(nextRung(aDecision())).toBeUndefined());

  it("none once the decision is aborted, not even the first", () => {
    const d = aDecision({ with: { rungs: steps } });
    d.abort(refuse("client_gone"));
    expect(nextRung(d)).toBeUndefined();
    expect(nextRung(d, steps[0])).toBeUndefined();
  });
});
