import { type Candidate, close, isOpenModel, nameOf } from "./candidate.ts";
import { means } from "./overrides.ts";
import type { RouteOverride } from "./port.ts";

/**
 * What operators decided for a while. It only ever chooses among what is open anyway: an override opens nothing that
 * policy, capability or health has closed, and where the forced model is closed the ladder stands as it is.
 */
export function applyOverrides(overrides: readonly RouteOverride[], candidates: readonly Candidate[]): void {
  for (const override of overrides.filter(({ act }) => act === "exclude"))
    for (const candidate of candidates)
      if (isOpenModel(candidate) && isMeant(override, candidate)) {
        close(candidate, "override_excluded", `by ${override.operator.name}: ${override.reason}`);
        candidate.reason.override = override.id;
      }
  // The latest word counts.
  for (const override of overrides.filter(({ act }) => act === "force").toSorted((a, b) => b.from_ms - a.from_ms)) {
    const forced = candidates.filter((candidate) => isOpenModel(candidate) && isMeant(override, candidate));
    if (forced.length === 0) continue;
    for (const candidate of candidates) {
      if (!isOpenModel(candidate)) continue;
      candidate.reason.override = override.id;
      if (!forced.includes(candidate))
        close(candidate, "override_elsewhere", `by ${override.operator.name}: ${override.reason}`);
    }
    return;
  }
}

const isMeant = (override: RouteOverride, candidate: Candidate): boolean =>
  means(override, { rung: candidate.index, model: nameOf(candidate), vendor: candidate.elsewhere?.vendor.name });
