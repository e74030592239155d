/** Made-up rates, latencies and cost over time. */
import type { DecisionRow, Overview, Totals, UseCaseOverview } from "../src/api/types.ts";
import { seeded } from "./fake-draw.ts";
import type { FakeOperations } from "./fake-operations.ts";

const spans: Record<string, [number, number]> = {
  "15m": [900_000, 15_000],
  "1h": [3_600_000, 60_000],
  "24h": [86_400_000, 1_200_000],
  "7d": [604_800_000, 10_800_000],
};

/** History before the generated decisions is drawn per step, so that long ranges have a shape. */
export function overviewOf(world: FakeOperations, range: string): Overview {
  const [span, step] = spans[range] ?? spans["1h"]!;
  const toMs = Math.floor(world.nowMs() / step) * step + step;
  const fromMs = toMs - span;
  const empty = world.decisions.length === 0;
  const useCases = (["credit", "assistant", "triage"] as const).map((name, index): UseCaseOverview => {
    const rows = world.decisions.map(({ row }) => row).filter((row) => row.use_case === name);
    const draw = seeded(index * 77 + span);
    const series = Array.from({ length: empty ? 0 : Math.round(span / step) }, (_, i) => {
      const wave = 1 + 0.35 * Math.sin(i / 7 + index) + 0.22 * (draw() - 0.5) * 2;
      const decisions = Math.round((([1.35, 0.55, 0.22][index]! * step) / 1000) * wave);
      const bump = index === 1 && i > span / step / 1.6 && i < span / step / 1.45 ? 3.2 : 1;
      return {
        at_ms: fromMs + i * step,
        decisions,
        errors: draw() < 0.25 ? Math.round(decisions * 0.012 * bump * draw() * 3) : 0,
        p95_ms: decisions === 0 ? null : [2.9, 1850, 310][index]! * bump * (0.85 + 0.3 * draw()),
        cost_nano_usd: Math.round(decisions * [0, 391_200, 7_300][index]! * (0.9 + 0.2 * draw())),
      };
    });
    return { name, kind: name === "credit" ? "score" : "chat", totals: totalsOf(rows, series, span), series };
  });
  return {
    range: range as Overview["range"],
    step_ms: step,
    from_ms: fromMs,
    to_ms: toMs,
    totals: mergeTotals(
      useCases.map(({ totals }) => totals),
      span,
    ),
    use_cases: useCases,
  };
}

function totalsOf(rows: DecisionRow[], series: UseCaseOverview["series"], span: number): Totals {
  const decisions = series.reduce((sum, point) => sum + point.decisions, 0);
  const share = (state: string): number =>
    rows.length === 0 ? 0 : Math.round((rows.filter((row) => row.state === state).length / rows.length) * decisions);
  const durations = rows.map((row) => row.duration_ms).sort((a, b) => a - b);
  const at = (quantile: number): number | null =>
    durations[Math.min(durations.length - 1, Math.floor(quantile * durations.length))] ?? null;
  const [referred, refused, failed, interrupted] = [
    share("referred"),
    share("refused"),
    share("failed"),
    share("interrupted"),
  ];
  return {
    decisions,
    answered: decisions - referred - refused - failed - interrupted,
    referred,
    refused,
    failed,
    interrupted,
    errors: series.reduce((sum, point) => sum + point.errors, 0),
    cache_hits:
      rows.length === 0 ? 0 : Math.round((rows.filter((row) => row.cache === "hit").length / rows.length) * decisions),
    cost_nano_usd: series.reduce((sum, point) => sum + point.cost_nano_usd, 0),
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    p99_ms: at(0.99),
    rate_per_s: decisions / (span / 1000),
  };
}

function mergeTotals(parts: Totals[], span: number): Totals {
  const sum = (name: keyof Totals): number => parts.reduce((total, part) => total + (part[name] ?? 0), 0);
  const most = (name: "p50_ms" | "p95_ms" | "p99_ms"): number | null =>
    parts.reduce<number | null>((high, part) => (part[name] === null ? high : Math.max(high ?? 0, part[name])), null);
  return {
    decisions: sum("decisions"),
    answered: sum("answered"),
    referred: sum("referred"),
    refused: sum("refused"),
    failed: sum("failed"),
    interrupted: sum("interrupted"),
    errors: sum("errors"),
    cache_hits: sum("cache_hits"),
    cost_nano_usd: sum("cost_nano_usd"),
    p50_ms: most("p50_ms"),
    p95_ms: most("p95_ms"),
    p99_ms: most("p99_ms"),
    rate_per_s: sum("decisions") / (span / 1000),
  };
}
