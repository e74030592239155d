import { scaleLinear } from "d3-scale";
import { describeScore, type ScoreBand, type ThresholdRule } from "./thresholds.ts";
import { useWidth } from "./use-width.ts";

interface ScoreAxisProps {
  score: number;
  bands: readonly ScoreBand[];
  rules: readonly ThresholdRule[];
  result: string | undefined;
  rule: number | undefined;
}

const [height, barTop, barHeight] = [74, 26, 22];
const looks: Record<string, string> = { approve: "ok", accept: "ok", decline: "bad", reject: "bad", refer: "warn" };

/** The axis from 0 to 1, what each stretch of it leads to, and where this decision fell. */
export function ScoreAxis({ score, bands, rules, result, rule }: ScoreAxisProps) {
  const [ref, width] = useWidth<HTMLDivElement>(640);
  const x = scaleLinear([0, 1], [10, width - 10]).clamp(true);
  const cuts = [...new Set(bands.flatMap(({ from, to }) => [from, to]))].filter((cut) => cut > 0 && cut < 1);
  const mark = x(score);
  return (
    <div ref={ref}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={describeScore(score, result, rules, rule)}
        className="block"
      >
        {bands.length === 0 && (
          <rect x={x(0)} y={barTop} width={x(1) - x(0)} height={barHeight} rx={3} fill="var(--hover)" />
        )}
        {bands.map((band) => (
          <Band
            key={band.from}
            band={band}
            left={x(band.from)}
            right={x(band.to)}
            decided={rule === undefined ? band.from <= score && score <= band.to : rule === band.rule}
          />
        ))}
        {[0, ...cuts, 1].map((tick) => (
          <g key={tick}>
            <path d={`M${x(tick)} ${barTop + barHeight}v5`} stroke="var(--line-strong)" />
            <text
              x={x(tick)}
              y={height - 9}
              textAnchor={tick === 0 ? "start" : tick === 1 ? "end" : "middle"}
              dx={tick === 0 ? -4 : tick === 1 ? 4 : 0}
              fontSize={11}
              fill="var(--ink-3)"
            >
              {tick}
            </text>
          </g>
        ))}
        <path d={`M${mark} ${barTop - 5}V${barTop + barHeight + 5}`} stroke="var(--surface)" strokeWidth={6} />
        <path d={`M${mark} ${barTop - 5}V${barTop + barHeight + 5}`} stroke="var(--ink)" strokeWidth={2.5} />
        <path d={`M${mark} ${barTop - 2}l-5 -7h10z`} fill="var(--ink)" />
        <text
          x={Math.max(26, Math.min(width - 26, mark))}
          y={12}
          textAnchor="middle"
          fontSize={12.5}
          fontWeight={650}
          fill="var(--ink)"
        >
          {score}
        </text>
      </svg>
    </div>
  );
}

function Band({ band, left, right, decided }: { band: ScoreBand; left: number; right: number; decided: boolean }) {
  const look = looks[band.result] ?? "cut";
  return (
    <g>
      <rect
        x={left + 0.5}
        y={barTop}
        width={Math.max(1, right - left - 1)}
        height={barHeight}
        rx={2}
        fill={`var(--${look}-soft)`}
        stroke={`var(--${look})`}
        strokeWidth={decided ? 1.5 : 0.5}
        strokeOpacity={decided ? 1 : 0.6}
      />
      {right - left > 54 && (
        <text
          x={left + 8}
          y={barTop + barHeight / 2}
          dy="0.34em"
          fontSize={11}
          fontWeight={decided ? 650 : 450}
          fill={decided ? `var(--${look})` : "var(--ink-2)"}
        >
          {band.result}
        </text>
      )}
    </g>
  );
}
