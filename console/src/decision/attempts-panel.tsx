import type { AttemptMeta } from "../api/types.ts";
import { formatCount, formatDuration } from "../figures/quantity.ts";
import { Check, Cross } from "../shell/icons.tsx";
import { Money } from "../shell/money.tsx";
import { Panel } from "../shell/panel.tsx";

export const AttemptsPanel = ({ attempts }: { attempts: AttemptMeta[] }) => (
  <Panel title="Attempts" aside="money is held and booked per attempt" flush>
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col" className="num w-10">
            #
          </th>
          <th scope="col">Model</th>
          <th scope="col">Target</th>
          <th scope="col">Arm, probability</th>
          <th scope="col">Status</th>
          <th scope="col" className="num">
            Tokens in → out
          </th>
          <th scope="col" className="num">
            Held
          </th>
          <th scope="col" className="num">
            Cost
          </th>
          <th scope="col" className="num">
            First token
          </th>
          <th scope="col" className="num">
            Duration
          </th>
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt) => (
          <AttemptLine key={attempt.n} attempt={attempt} />
        ))}
      </tbody>
    </table>
  </Panel>
);

function AttemptLine({ attempt }: { attempt: AttemptMeta }) {
  const { usage, status } = attempt;
  return (
    <tr>
      <td className="num">{attempt.n}</td>
      <td className="whitespace-nowrap">
        <span className="font-medium">{attempt.model}</span>
        <span className="block text-2xs text-ink-3">
          rung {attempt.rung + 1}
          {attempt.slot !== undefined && `, slot ${attempt.slot}`}
        </span>
      </td>
      <td>
        <span className="mono">{attempt.target}</span>
        <span className="block text-2xs text-ink-3">{attempt.region}</span>
      </td>
      <td className="whitespace-nowrap">
        {attempt.arm}
        <span className="text-ink-3">, p = {attempt.probability}</span>
      </td>
      <td>
        <span className={`inline-flex items-center gap-1 ${status === "ok" ? "text-ok" : "text-bad"}`}>
          {status === "ok" ? <Check className="size-3.5" /> : <Cross className="size-3.5" />}
          {status}
        </span>
        {attempt.reason !== undefined && <span className="mono block text-2xs text-ink-2">{attempt.reason}</span>}
      </td>
      <td className="num">
        {usage.input + usage.cached_input + usage.output === 0 ? (
          <span className="text-ink-3">–</span>
        ) : (
          `${formatCount(usage.input + usage.cached_input)} → ${formatCount(usage.output)}`
        )}
        <span className="block text-2xs text-ink-3">{usageRemark(attempt)}</span>
      </td>
      <td className="num">
        <Money nanoUsd={attempt.held_nano_usd} />
      </td>
      <td className="num">
        <Money nanoUsd={attempt.cost_nano_usd} />
        {attempt.price !== "none" && <span className="block text-2xs text-ink-3">{attempt.price}</span>}
      </td>
      <td className="num">
        {attempt.ttft_ms === undefined ? <span className="text-ink-3">–</span> : formatDuration(attempt.ttft_ms)}
      </td>
      <td className="num">{formatDuration(attempt.duration_ms)}</td>
    </tr>
  );
}

function usageRemark({ usage }: AttemptMeta): string {
  const remarks = [
    ...(usage.cached_input > 0 ? [`${formatCount(usage.cached_input)} cached`] : []),
    ...(usage.estimated ? ["estimated"] : []),
  ];
  return remarks.join(", ");
}
