import { Waterfall } from "../charts/waterfall.tsx";
import type { AttemptMeta, SettledMeta } from "../api/types.ts";
import { formatDuration } from "../figures/quantity.ts";
import { Panel } from "../shell/panel.tsx";

export const TimelinePanel = ({ settled, attempts }: { settled: SettledMeta; attempts: AttemptMeta[] }) => (
  <Panel title="Stages" aside={<span>{formatDuration(settled.duration_ms)} in all</span>}>
    <Waterfall
      totalMs={settled.duration_ms}
      stages={settled.stages}
      under={{
        stage: "serve",
        bars: attempts.map((attempt) => ({
          name: `${attempt.n}. ${attempt.model}`,
          startMs: Math.max(0, attempt.started_at_ms - settled.started_at_ms),
          durationMs: attempt.duration_ms,
          failed: attempt.status !== "ok",
          remark: attempt.status === "ok" ? "" : (attempt.reason ?? attempt.status),
        })),
      }}
    />
  </Panel>
);
