import { describe, expect, it } from "vitest";
import { aGuard } from "../../../tests/fixtures/decision.ts";
import { wordScanner } from "../../../tests/fixtures/word-scanner.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import { runGuards } from "./guard.ts";

const brokenScanner = {
  scan: (): never => {
    throw new TypeError("regex went wrong on CARD");
  },
  redact: (text: string) => text,
};
const run = (guards: Guard[], texts: string[]) => runGuards(wordScanner, guards, "input", texts);

describe("runGuards", () => {
  it("without guards scans nothing", () => {
    expect(runGuards(brokenScanner, [], "input", ["CARD"])).toEqual({ verdicts: [], allowed: 0 });
  });

  it.each([
    ["nothing found", "hello", "block", "allow", "allow", {}],
    ["found and blocked", "a CARD and a CARD", "block", "deny", "block", { card: 2 }],
    ["found and redacted", "a CARD", "redact", "modify", "redact", { card: 1 }],
    ["found and let pass", "a CARD", "allow", "deny", "allow", { card: 1 }],
    ["found, but not what this guard looks for", "an EMAIL", "block", "allow", "allow", {}],
  ] as const)(
    "%s: verdict and action are two fields, findings are counts",
    (_what, text, action, verdict, done, findings) => {
      expect(run([aGuard({ action })], [text]).verdicts).toEqual([
        { guard: "cards", on: "input", verdict, action: done, findings },
      ]);
    },
  );

  it.each([
    ["open", "allow", undefined],
    ["closed", "block", "cards"],
  ] as const)("a guard that fails %s: action %s", (onFailure, action, failed) => {
    const done = runGuards(brokenScanner, [aGuard({ onFailure })], "output", ["CARD"]);
    expect(done.verdicts).toEqual([
      { guard: "cards", on: "output", verdict: "error", action, findings: {}, reason: "TypeError" },
    ]);
    expect(done.failed).toBe(failed);
  });

  it("names the first guard that blocks, with all its kinds", () => {
    const done = run(
      [aGuard({ name: "a", detect: ["card", "email"] }), aGuard({ name: "b", detect: ["email"] })],
      ["CARD", "EMAIL"],
    );
    expect(done.blocked).toEqual({ guard: "a", kinds: ["card", "email"] });
    expect(done.verdicts).toHaveLength(2);
  });

  it("redacts with everything that redacting guards detect, and only where one of them hit", () => {
    const guards = [aGuard({ action: "redact" }), aGuard({ name: "mail", detect: ["email"], action: "redact" })];
    expect(run(guards, ["CARD EMAIL"]).redact!("CARD EMAIL")).toBe("[card] [email]");
    expect(run(guards, ["hello"]).redact).toBeUndefined();
    expect(run(guards, ["CARD"]).redact!("CARD EMAIL")).toBe("[card] EMAIL");
  });

  it("keeps what was found out of the verdicts", () => {
    expect(JSON.stringify(run([aGuard()], ["CARD 4111"]).verdicts)).not.toContain("4111");
  });
});
