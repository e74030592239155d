import type { RouteOfUseCase } from "../api/operations.ts";
import { formatShare } from "../figures/quantity.ts";
import { Mark } from "../shell/mark.tsx";
import { Panel } from "../shell/panel.tsx";
import { Nothing } from "../shell/screen.tsx";

/** What spoke for and against each model lately. */
export const ReasonsPanel = ({ reasons }: { reasons: RouteOfUseCase["reasons"] }) => (
  <Panel title="Reasons lately" aside={`records of the newest ${reasons.looked_at} decisions`} flush>
    {reasons.lines.length === 0 ? (
      <Nothing>No decision of this use case has been routed yet.</Nothing>
    ) : (
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col" className="num w-12">
              Rung
            </th>
            <th scope="col">Target</th>
            <th scope="col">Reason</th>
            <th scope="col" className="num">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {reasons.lines.map(({ rung, target, reason, eligible, count }) => (
            <tr key={`${rung}/${target}/${reason}`}>
              <td className="num">{rung + 1}</td>
              <td className="mono">{target}</td>
              <td>
                <Mark tone={eligible ? "ok" : "held"}>{reason}</Mark>
              </td>
              <td className="num">{formatShare(count, reasons.looked_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Panel>
);
