import { ScoreAxis } from "../charts/score-axis.tsx";
import { scoreBands } from "../charts/thresholds.ts";
import type { SettledMeta } from "../api/types.ts";
import { Panel } from "../shell/panel.tsx";
import { resultInk } from "../shell/state-badge.tsx";

export function ScorePanel({ settled, score }: { settled: SettledMeta; score: number }) {
  const rules = settled.thresholds ?? [];
  const { bands, undrawable } = scoreBands(rules);
  return (
    <Panel
      title="Score against thresholds"
      aside={settled.confidence !== undefined && <span>confidence {settled.confidence}</span>}
    >
      <ScoreAxis score={score} bands={bands} rules={rules} result={settled.result} rule={settled.rule} />
      {undrawable.length > 0 && (
        <p className="mt-1 text-xs text-ink-2">
          The bands are not drawn, because {undrawable.length === 1 ? "a rule asks" : "rules ask"} for more than the
          score:{" "}
          {undrawable.map((when) => (
            <code key={when} className="mono mr-2">
              {when}
            </code>
          ))}
        </p>
      )}
      {rules.length > 0 && (
        <ol className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-xs">
          {rules.map((rule, index) => (
            <li key={index} className={`flex items-center gap-1.5 ${index === settled.rule ? "" : "text-ink-3"}`}>
              <span className="text-2xs">{index + 1}.</span>
              <code className={`mono ${index === settled.rule ? "text-ink" : ""}`}>
                {isOtherwise(rule.when) ? "otherwise" : rule.when}
              </code>
              →
              <span className={`font-medium ${index === settled.rule ? resultInk(rule.result) : ""}`}>
                {rule.result}
              </span>
              {index === settled.rule && (
                <span className="rounded bg-accent-soft px-1.5 text-2xs font-semibold text-accent">decided</span>
              )}
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

const isOtherwise = (when: string | undefined): boolean => when === undefined || when.trim() === "" || when === "true";
