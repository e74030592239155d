/** Made-up applicants and what became of them. */
import type { RouteReason, SettledMeta } from "../../src/kernel/decision.ts";
import { pick, round3, spread, type Draw } from "./fake-draw.ts";
import { attempt, type Plan } from "./fake-plan.ts";

const creditThresholds = [
  { when: "score >= 0.72", result: "approve" },
  { when: "score <= 0.35", result: "decline" },
  { when: "true", result: "refer" },
];

function applicant(draw: Draw): Record<string, number | string | null> {
  return {
    Seniority: Math.floor(draw() * 28),
    Home: pick(draw, ["owner", "rent", "parents", "priv", "other"]),
    Time: pick(draw, [24, 36, 48, 60]),
    Records: draw() < 0.17 ? "yes" : "no",
    Job: pick(draw, ["fixed", "fixed", "freelance", "partime", "others"]),
    Expenses: 35 + Math.floor(draw() * 90),
    Income: draw() < 0.09 ? null : 60 + Math.floor(draw() * 240),
    Assets: Math.floor(draw() * 14) * 1000,
    Debt: draw() < 0.8 ? 0 : Math.floor(draw() * 3000),
    Amount: 300 + Math.floor(draw() * 40) * 50,
    Price: 600 + Math.floor(draw() * 2400),
  };
}

export function creditPlan(draw: Draw, atMs: number): Plan {
  const serveMs = round3(spread(draw, 0.42, 0.35));
  const features = applicant(draw);
  const score = Math.min(
    0.995,
    Math.max(
      0.012,
      0.78 + 0.3 * Math.tanh((spread(draw, 1, 0.5) - 1) * 0.9) - (draw() < 0.27 ? 0.25 + draw() * 0.45 : draw() * 0.08),
    ),
  );
  const result = score >= 0.72 ? "approve" : score <= 0.35 ? "decline" : "refer";
  const stages = {
    identify: round3(spread(draw, 0.012, 0.3)),
    admit: round3(spread(draw, 0.055, 0.3)),
    reserve: round3(spread(draw, 0.006, 0.3)),
    route: round3(spread(draw, 0.014, 0.3)),
    serve: serveMs,
    judge: round3(spread(draw, 0.02, 0.3)),
    settle: round3(spread(draw, 1.1, 0.4)),
  };
  if (draw() < 0.028) return creditRefusal(draw, stages);
  const canary = draw() < 0.1;
  const fellBack = draw() < 0.02;
  const route: RouteReason[] = [
    { rung: 0, target: "in-process/onnx", eligible: true, reason: "eligible", detail: "slot scorecard" },
    { rung: 1, target: "in-process/rules", eligible: true, reason: "eligible" },
    { rung: 2, target: "refer:underwriters", eligible: true, reason: "eligible" },
  ];
  const main = attempt(1, 0, {
    slot: "scorecard",
    arm: canary ? "canary" : "champion",
    probability: canary ? 0.1 : 0.9,
    model: canary ? "scorecard-8" : "scorecard-7",
    target: "in-process/onnx",
    region: "onprem",
    started_at_ms: atMs + 0.09,
    duration_ms: serveMs,
    ...(fellBack ? { status: "timeout" as const, reason: "deadline" } : {}),
  });
  const drawn = fellBack
    ? [
        main,
        attempt(2, 1, {
          model: "baseline",
          target: "in-process/rules",
          region: "onprem",
          started_at_ms: atMs + 0.6,
          duration_ms: 0.03,
        }),
      ]
    : [main];
  return {
    useCase: "credit",
    state: result === "refer" ? "referred" : "answered",
    status: 200,
    stages,
    route,
    drawn,
    guards: [],
    score: Math.round(score * 1e6) / 1e6,
    confidence: Math.round(Math.abs(score - 0.5) * 2 * 1e4) / 1e4,
    thresholds: creditThresholds,
    rule: result === "approve" ? 0 : result === "decline" ? 1 : 2,
    result,
    reasons: creditReasons(features, result),
    automation: result === "refer" ? "assisted" : "auto",
    cache: { status: "off" },
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    record: "full",
    ...(result === "refer" ? { refer_to: "underwriters" } : {}),
    release: { slot: "scorecard", bundle: "9f2c41e07ab3" },
    content: { features },
  };
}

function creditReasons(features: Record<string, number | string | null>, result: string): SettledMeta["reasons"] {
  const reasons: SettledMeta["reasons"] = [];
  if (features["Records"] === "yes")
    reasons.push({ basis: "rule", name: "payment_defaults", text: "Earlier payment defaults are on record." });
  if (features["Income"] === null)
    reasons.push({ basis: "rule", name: "income_missing", text: "The applicant stated no income." });
  if (Number(features["Seniority"]) < 2)
    reasons.push({ basis: "rule", name: "short_seniority", text: "Less than two years in the present job." });
  if (Number(features["Amount"]) > 0.8 * Number(features["Price"]))
    reasons.push({ basis: "rule", name: "high_financing", text: "More than 80 % of the price is financed." });
  reasons.push({
    basis: "policy",
    name: `decide.${result}`,
    text: result === "refer" ? "The score lies between the thresholds." : `The score meets the rule for ${result}.`,
  });
  return reasons;
}

function creditRefusal(draw: Draw, stages: SettledMeta["stages"]): Plan {
  const [code, status] = pick(draw, [
    ["consent_required", 403],
    ["invalid_input", 422],
    ["invalid_input", 422],
    ["rate_limited", 429],
  ] as const);
  return {
    useCase: "credit",
    state: "refused",
    status,
    code,
    refused_before_begin: true,
    stages: {
      identify: stages.identify ?? 0,
      admit: stages.admit ?? 0,
      ...(code === "rate_limited" ? { reserve: 0.004 } : {}),
      settle: 0.9,
    },
    route: [],
    drawn: [],
    guards: [],
    reasons: [],
    automation: "auto",
    cache: { status: "off" },
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    record: "full",
  };
}
