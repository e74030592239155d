import type { GuardVerdict } from "../api/types.ts";
import { Alert, Ban, Check, Shield } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";

const verdicts = {
  allow: { Icon: Check, ink: "text-ok" },
  modify: { Icon: Shield, ink: "text-warn" },
  deny: { Icon: Ban, ink: "text-hold" },
  error: { Icon: Alert, ink: "text-bad" },
} as const;

/** Verdict and action stand apart: what a guard said, and what was done about it. */
export const GuardsPanel = ({ guards }: { guards: GuardVerdict[] }) => (
  <Panel title="Guards" flush>
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col">Guard</th>
          <th scope="col">Looked at</th>
          <th scope="col">Verdict</th>
          <th scope="col">Action</th>
          <th scope="col">Findings</th>
        </tr>
      </thead>
      <tbody>
        {guards.map((guard, index) => {
          const { Icon, ink } = verdicts[guard.verdict] ?? verdicts.error;
          const findings = Object.entries(guard.findings);
          return (
            <tr key={index}>
              <td className="font-medium">{guard.guard}</td>
              <td>{guard.on}</td>
              <td>
                <span className={`inline-flex items-center gap-1 ${ink}`}>
                  <Icon className="size-3.5" />
                  {guard.verdict}
                </span>
              </td>
              <td>{guard.action}</td>
              <td>
                {findings.length === 0 && guard.reason === undefined && <span className="text-ink-3">none</span>}
                {findings.map(([kind, count]) => (
                  <span key={kind} className="mr-2 whitespace-nowrap">
                    {count} × <span className="mono">{kind}</span>
                  </span>
                ))}
                {guard.reason !== undefined && <span className="text-ink-2">{guard.reason}</span>}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </Panel>
);
