import type { AttemptMeta, RouteReason } from "../api/types.ts";
import { Ban, Check } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";

/** Why it went there: every rung that was looked at, and what spoke for or against it. */
export const RoutePanel = ({ route, attempts }: { route: RouteReason[]; attempts: AttemptMeta[] }) => (
  <Panel title="Route" aside={`${route.filter(({ eligible }) => eligible).length} of ${route.length} eligible`} flush>
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col" className="num w-14">
            Rung
          </th>
          <th scope="col">Target</th>
          <th scope="col">Eligible</th>
          <th scope="col">Reason</th>
          <th scope="col">Detail</th>
          <th scope="col">Then</th>
        </tr>
      </thead>
      <tbody>
        {route.map((line, index) => (
          <tr key={index}>
            <td className="num">{line.rung + 1}</td>
            <td className="mono">{line.target}</td>
            <td>
              <span className={`inline-flex items-center gap-1 ${line.eligible ? "text-ok" : "text-hold"}`}>
                {line.eligible ? <Check className="size-3.5" /> : <Ban className="size-3.5" />}
                {line.eligible ? "yes" : "no"}
              </span>
            </td>
            <td className="mono">{line.reason}</td>
            <td className="text-ink-2">{line.detail ?? "–"}</td>
            <td className="text-ink-2">{attemptsOn(line, attempts)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
);

function attemptsOn({ rung }: RouteReason, attempts: AttemptMeta[]): string {
  const tried = attempts.filter((attempt) => attempt.rung === rung);
  if (tried.length === 0) return "not tried";
  return tried.some(({ status }) => status === "ok")
    ? "answered"
    : `tried ${tried.length === 1 ? "once" : `${tried.length} times`}`;
}
