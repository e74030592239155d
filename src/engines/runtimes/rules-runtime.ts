/** A scorecard that can be added up by hand: base plus the points of every rule that fires, held within [0, 1]. */
import type { Clock } from "../../kernel/clock.ts";
import type { FeatureValue, Reason } from "../../kernel/decision.ts";
import { WeirError } from "../../kernel/errors.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { refuseUnfit, sampleRows } from "./feature-rows.ts";
import type { Runtime, ScoreModel, ScoredRow } from "./port.ts";
import { type RuleTest, ruleCompiler } from "./rules-condition.ts";
import { type Locate, readRulesFile, type RulesFile } from "./rules-file.ts";

interface Rule {
  test: RuleTest;
  add: number;
  reason: Reason;
}

export function createRulesRuntime({ clock }: { clock: Pick<Clock, "monotonic"> }): Runtime {
  return {
    name: "rules",
    async load({ name, bytes, contract }) {
      if (bytes === undefined) throw new Error(`model ${name}: the rules runtime needs a file`);
      if (contract === undefined) throw new Error(`model ${name}: the rules runtime needs a feature contract`);
      try {
        const { file, locate } = readRulesFile(bytes);
        return scorecard(name, contract, file.base, compileRules(file, locate, contract), clock);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        throw new Error(`model ${name} does not load: ${said}`, { cause: error });
      }
    },
  };
}

function compileRules(file: RulesFile, locate: Locate, contract: FeatureContract): Rule[] {
  const compile = ruleCompiler(contract);
  return file.points.map(({ name, when, add, text }, index) => {
    try {
      const shown = text ?? `${when} (${add < 0 ? "" : "+"}${add})`;
      return { test: compile(when), add, reason: { basis: "rule", name, text: shown } };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw new Error(`${locate(["points", index, "when"])}: rule ${name}: ${said}`, { cause: error });
    }
  });
}

function scorecard(
  name: string,
  contract: FeatureContract,
  base: number,
  rules: readonly Rule[],
  clock: Pick<Clock, "monotonic">,
): ScoreModel {
  const scoreRow = (row: Record<string, FeatureValue>): ScoredRow => {
    refuseUnfit(name, contract, row);
    let sum = base;
    const reasons: Reason[] = [];
    for (const { test, add, reason } of rules) {
      if (!holds(name, reason.name, test, row)) continue;
      sum += add;
      reasons.push(reason);
    }
    // Points are decimals; without rounding, 0.5 + 0.1 + 0.12 would miss a threshold of 0.72 by one bit.
    return { score: Math.min(1, Math.max(0, Math.round(sum * 1e9) / 1e9)), reasons };
  };
  return {
    kind: "score",
    costMicros: measure(scoreRow, sampleRows(contract)[0]!, clock),
    async score(rows, signal) {
      if (signal?.aborted) throw signal.reason;
      return rows.map(scoreRow);
    },
    async close() {},
  };
}

function holds(model: string, rule: string, test: RuleTest, row: Record<string, FeatureValue>): boolean {
  try {
    return test(row);
  } catch (error) {
    const said = error instanceof Error && "summary" in error ? String(error.summary) : "its condition failed";
    // The evaluator's own message is safe to show: it speaks of types, never of values.
    throw new WeirError("internal", `model ${model}: rule ${rule}: ${said}`, { cause: error });
  }
}

function measure(
  scoreRow: (row: Record<string, FeatureValue>) => unknown,
  row: Record<string, FeatureValue>,
  clock: Pick<Clock, "monotonic">,
): number {
  const times = 200;
  for (let i = 0; i < times; i++) scoreRow(row);
  const start = clock.monotonic();
  for (let i = 0; i < times; i++) scoreRow(row);
  return ((clock.monotonic() - start) * 1000) / times;
}
