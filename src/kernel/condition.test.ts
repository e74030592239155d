import { describe, expect, it } from "vitest";
import { compileCondition, type ConditionPlace } from "./condition.ts";
import type { Feature, FeatureContract } from "./snapshot.ts";

const feature = (name: string, type: Feature["type"], nullable = false): Feature => ({
  name,
  type,
  nullable,
  immutable: false,
  dataClass: "personal",
});
const contract: FeatureContract = {
  name: "applicant",
  version: 1,
  score: "P(good)",
  features: [feature("Income", "number", true), feature("Time", "integer"), feature("Job", "category", true)],
  protectedFeatures: [feature("Age", "integer")],
};
const features = { Income: 129, Time: 60, Job: "fixed" };
const principal = { type: "service", id: "svc", tenant: "retail", environment: "prod", groups: ["staff", "risk"] };

describe("conditions that hold or not", () => {
  const rung = { principal, purpose: "faq", data_class: "internal", risk: "limited", tokens: 900, stream: true };
  const cases: [ConditionPlace, string, Record<string, unknown>, boolean][] = [
    ["decide-score", "score >= 0.72", { score: 0.72 }, true],
    ["decide-score", "score >= 0.72", { score: 0.7199 }, false],
    ["decide-score", "score >= 1", { score: 1 }, true],
    ["decide-score", "score == 1", { score: 1 }, true],
    ["decide-score", "1 == score && score != 0", { score: 1 }, true],
    ["decide-score", "1 - score < 0.5 && score * 2 > 1", { score: 0.6 }, true],
    ["decide-score", "rung == 0 || confidence > 0.9", { rung: 1, confidence: 0.95 }, true],
    ["decide-score", "rung in [1, 2]", { rung: 2 }, true],
    ["decide-score", "features.Income > 100", { features }, true],
    ["decide-score", "features.Income == null", { features: { Income: null } }, true],
    ["decide-score", "null != features.Income && features.Income > 1", { features }, true],
    ["decide-score", "features.Job == null || features.Time == null", { features: { Job: null, Time: 1 } }, true],
    ["decide-score", "features.Income != null && features.Income / 2 > 100", { features: { Income: null } }, false],
    ["decide-score", 'features.Job in ["fixed", "partime"] && features.Time / 12 >= 5', { features }, true],
    ["decide-chat", 'abstained || finish == "length"', { abstained: false, finish: "length" }, true],
    ["decide-chat", '"pii" in guards', { guards: ["pii"] }, true],
    ["decide-chat", "size(guards) == 1", { guards: ["pii"] }, true],
    ["rung", "tokens < 1000 && !stream", rung, false],
    ["rung", '"risk" in principal.groups && data_class == "internal"', rung, true],
    ["use-case", 'principal.groups.exists(g, g.startsWith("st"))', { principal }, true],
    ["use-case", 'subject_known && environment != "prod"', { subject_known: true, environment: "dev" }, true],
  ];
  it.each(cases)("%s: %s", (place, source, variables, holds) => {
    const result = compileCondition(source, place, contract);
    expect(result).toMatchObject({ ok: true });
    if (!result.ok) return;
    const reports: string[] = [];
    expect(result.condition.test(variables, (problem) => reports.push(problem))).toBe(holds);
    expect(reports).toEqual([]);
  });
});

describe("conditions that are refused", () => {
  const cases: [ConditionPlace, string, string, number, string | undefined][] = [
    ["decide-score", "scor > 0.5", "Unknown variable: scor", 0, "scor"],
    ["decide-score", "score", "bool), but this is double", 0, undefined],
    ["decide-score", "score > ", "Unexpected token", 8, undefined],
    ["decide-score", 'score > "high"', "no such overload: double > string", 0, undefined],
    ["decide-score", "score > 0.5 && features.Incom > 1", "No such key: Incom", 24, "Incom"],
    ["decide-score", "features.Age > 60", "No such key: Age", 9, "Age"],
    ["decide-score", 'features.Income == "high"', "no such overload: double == string", 0, undefined],
    ["decide-score", "features.Job == 3", "no such overload: string == int", 0, undefined],
    ["decide-score", "abstained", "Unknown variable: abstained", 0, "abstained"],
    ["decide-chat", "abstained || score > 0.5", "Unknown variable: score", 13, "score"],
    ["decide-chat", "features.Income > 1", "Unknown variable: features", 0, "features"],
    ["rung", "principal.group == 'a'", "No such key: group", 10, "group"],
    ["use-case", "tokens > 1", "Unknown variable: tokens", 0, "tokens"],
    ["use-case", "features.Income > 1", "Unknown variable: features", 0, "features"],
  ];
  it.each(cases)("%s: %s", (place, source, message, start, unknown) => {
    const result = compileCondition(source, place, contract);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.problem.message).toContain(message);
    expect(result.problem.start).toBe(start);
    expect(result.problem.unknown?.name).toBe(unknown);
  });
});

describe("evaluation errors", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["features.Income > 100", { features: { Income: null } }],
    ["features.Income > 100", {}],
    ["score > 0.5", {}],
    ["score > 0.5", { score: "high" }],
  ];
  it.each(cases)("%s with %j counts as false and is reported", (source, variables) => {
    const result = compileCondition(source, "decide-score", contract);
    if (!result.ok) throw new Error(result.problem.message);
    const reports: string[] = [];
    expect(result.condition.test(variables, (problem) => reports.push(problem))).toBe(false);
    expect(reports).toHaveLength(1);
  });
});
