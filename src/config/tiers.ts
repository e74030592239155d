/** The risk-tier table: what a tier demands, what it allows, and what Weir does not enforce yet. */
import type { RiskTier } from "../kernel/decision.ts";
import type { UseCase } from "../kernel/snapshot.ts";
import type { Declaration } from "./declaration.ts";
import type { GuardConfig } from "./schema.ts";
import { isPool, memberName } from "./compile-ladder.ts";
import type { RungConfig, UseCaseConfig } from "./schema-use-case.ts";

interface Tier {
  durability: readonly UseCase["durability"][];
  record: readonly UseCase["record"][];
  release: readonly UseCase["release"][];
  guardFailure: readonly ("open" | "closed")[];
  /** Columns that are promised for later, in words. */
  notEnforced: readonly string[];
}

/** The first of each list is the default; what is not listed weakens the tier. */
export const tiers: Record<RiskTier, Tier> = {
  minimal: {
    durability: ["queued", "sealed"],
    record: ["redacted", "digest", "full"],
    release: ["one-person", "direct", "four-eyes"],
    guardFailure: ["open", "closed"],
    notEnforced: [],
  },
  limited: {
    durability: ["queued", "sealed"],
    record: ["redacted", "full"],
    release: ["one-person", "four-eyes"],
    guardFailure: ["closed", "open"],
    notEnforced: ["review: a sample of decisions", "release: gates beside the one person"],
  },
  high: {
    durability: ["sealed"],
    record: ["full"],
    release: ["four-eyes"],
    guardFailure: ["closed"],
    notEnforced: [
      "explanation: with every adverse or referred decision",
      "review: low confidence, a sample, appeals",
      "release: four eyes, bias and robustness gates",
    ],
  },
};

type TierChoice = "durability" | "record" | "release";

function choose<Choice extends TierChoice>(
  declaration: Declaration,
  name: string,
  choice: Choice,
  declared: UseCase[Choice] | undefined,
): UseCase[Choice] {
  const { risk } = declaration.config.use_cases[name]!;
  const allowed = tiers[risk][choice] as readonly UseCase[Choice][];
  const fallback = allowed[0]!;
  if (declared === undefined || allowed.includes(declared)) return declared ?? fallback;
  declaration.report(["use_cases", name, choice], `${choice}: ${declared} weakens the ${risk} risk tier`, {
    fix: `take ${allowed.join(" or ")}, or leave it out for ${fallback}`,
  });
  return fallback;
}

/** Names in a rung that may be a slot's. */
function namedBy(rung: RungConfig): string[] {
  if (typeof rung === "string") return [rung];
  if (isPool(rung)) return rung.pool.map(memberName);
  return "slot" in rung ? [rung.slot] : [];
}

export function tierChoices(
  declaration: Declaration,
  name: string,
  config: UseCaseConfig,
): Pick<UseCase, "durability" | "record" | "release"> {
  config.ladder.forEach((rung, index) => {
    for (const slot of namedBy(rung)) {
      const release = declaration.config.slots[slot]?.release;
      if (release === undefined || tiers[config.risk].release.includes(release)) continue;
      declaration.report(
        ["use_cases", name, "ladder", index],
        `slot "${slot}" is released by ${release}, which weakens the ${config.risk} risk tier`,
        { fix: `write release: ${tiers[config.risk].release.join(" or ")} at slots.${slot}` },
      );
    }
  });
  return {
    durability: choose(declaration, name, "durability", config.durability),
    record: choose(declaration, name, "record", config.record),
    release: choose(declaration, name, "release", config.release),
  };
}

/** What a guard does when it fails, for one use case. */
export function guardFailure(
  declaration: Declaration,
  useCase: string,
  place: "screen" | "check",
  index: number,
  guard: GuardConfig,
): "open" | "closed" {
  const { risk } = declaration.config.use_cases[useCase]!;
  const allowed = tiers[risk].guardFailure;
  if (guard.on_failure === undefined || allowed.includes(guard.on_failure)) return guard.on_failure ?? allowed[0]!;
  const name = declaration.config.use_cases[useCase]![place][index];
  declaration.report(
    ["use_cases", useCase, place, index],
    `guard "${name}" opens when it fails, which weakens the ${risk} risk tier`,
    { fix: `set on_failure: closed at guards.${name}, or leave it out` },
  );
  return allowed[0]!;
}
