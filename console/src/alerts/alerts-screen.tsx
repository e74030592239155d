/** What is wrong now, the longest first, and what lately was. */
import { useQuery } from "@tanstack/react-query";
import { type AlertsAnswer, alertsQuery } from "../api/operations.ts";
import { formatInstant } from "../figures/instant.ts";
import { Mark, type Tone } from "../shell/mark.tsx";
import { Panel } from "../shell/panel.tsx";
import { AnswerScreen, Nothing } from "../shell/screen.tsx";

type Line = AlertsAnswer["alerts"][number];
const tones: Record<Line["severity"], Tone> = { info: "idle", warning: "warn", critical: "bad" };

export function AlertsScreen() {
  const query = useQuery(alertsQuery);
  return (
    <AnswerScreen title="Alerts" what="the alerts" query={query}>
      {({ alerts }) => (
        <>
          <Panel title="Firing" flush>
            <Lines lines={alerts.filter(({ state }) => state === "firing")} none="Nothing is wrong." />
          </Panel>
          <Panel title="Resolved lately" flush>
            <Lines lines={alerts.filter(({ state }) => state === "resolved")} none="Nothing was, since the start." />
          </Panel>
        </>
      )}
    </AnswerScreen>
  );
}

const Lines = ({ lines, none }: { lines: Line[]; none: string }) =>
  lines.length === 0 ? (
    <Nothing>{none}</Nothing>
  ) : (
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col">Severity</th>
          <th scope="col">Rule</th>
          <th scope="col">What is wrong</th>
          <th scope="col">On</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={`${line.fingerprint}/${line.since_ms}`}>
            <td>
              {line.state === "resolved" ? (
                <Mark tone="ok">resolved</Mark>
              ) : (
                <Mark tone={tones[line.severity]}>{line.severity}</Mark>
              )}
              {line.silenced && <span className="block text-2xs text-ink-3">silenced</span>}
            </td>
            <th scope="row" className="!text-xs !font-medium !text-ink">
              <span className="mono">{line.rule}</span>
            </th>
            <td className="min-w-48">{line.summary}</td>
            <td className="text-ink-2">
              {Object.entries(line.labels).map(([name, value]) => (
                <span key={name} className="block whitespace-nowrap">
                  {name.replaceAll("_", " ")} {value}
                </span>
              ))}
            </td>
            <td className="whitespace-nowrap text-ink-2">
              {formatInstant(line.since_ms).replace(/\.\d+/, "")}
              {line.resolved_ms !== undefined && (
                <span className="block text-2xs text-ink-3">
                  until {formatInstant(line.resolved_ms).replace(/\.\d+/, "")}
                </span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
