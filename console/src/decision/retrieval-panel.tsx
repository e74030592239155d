import type { SettledMeta } from "../api/types.ts";
import { Panel } from "../shell/panel.tsx";

export function RetrievalPanel({ retrieval }: { retrieval: NonNullable<SettledMeta["retrieval"]> }) {
  const highest = Math.max(...retrieval.passages.map(({ score }) => score), 1e-9);
  return (
    <Panel
      title="Retrieved passages"
      aside={
        <span>
          {retrieval.collection} <span className="mono">{retrieval.generation}</span>
        </span>
      }
      flush
    >
      {retrieval.passages.length === 0 ? (
        <p className="p-3 text-xs text-ink-2">Nothing matched that the caller may read.</p>
      ) : (
        <table className="data-table">
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col" className="num w-44">
                Score
              </th>
            </tr>
          </thead>
          <tbody>
            {retrieval.passages.map(({ source, score }, index) => (
              <tr key={index}>
                <td className="mono">{source}</td>
                <td className="num">
                  {score.toFixed(2)}
                  <span
                    aria-hidden="true"
                    className="mt-0.5 ml-auto block h-1 rounded-full bg-accent"
                    style={{ width: `${(score / highest) * 100}%` }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
