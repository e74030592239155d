import type { Reason } from "../api/types.ts";
import { Panel } from "../shell/panel.tsx";

const bases: Record<Reason["basis"], string> = { rule: "rule", policy: "policy", model: "model" };

export const ReasonsPanel = ({ reasons }: { reasons: Reason[] }) => (
  <Panel title="Reasons" aside="what fired, in order" flush>
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col" className="w-20">
            Basis
          </th>
          <th scope="col" className="w-56">
            Name
          </th>
          <th scope="col">In words</th>
        </tr>
      </thead>
      <tbody>
        {reasons.map((reason, index) => (
          <tr key={index}>
            <td className="text-ink-3">{bases[reason.basis] ?? reason.basis}</td>
            <td className="mono">{reason.name}</td>
            <td>{reason.text ?? <span className="text-ink-3">–</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
);
