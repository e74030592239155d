import type { DecisionDetail } from "../api/types.ts";
import { formatClockMs, formatInstant } from "../figures/instant.ts";
import { formatCount } from "../figures/quantity.ts";
import { Panel } from "../shell/panel.tsx";
import { Digest } from "./facts-panel.tsx";

/** Where the decision stands in the ledger, and what was added later. */
export function RecordPanel({ detail }: { detail: DecisionDetail }) {
  const { entries, checkpoint, settled, amendments } = detail;
  return (
    <Panel title="Record" aside={settled !== undefined && `content: ${settled.record}`} flush>
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">Entry</th>
            <th scope="col" className="num">
              Position
            </th>
            <th scope="col">Written</th>
            <th scope="col">Leaf</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={`${entry.node}/${entry.seq}`}>
              <td>{entry.kind}</td>
              <td className="num" title={`node ${entry.node}`}>
                {formatCount(entry.seq)}
              </td>
              <td className="whitespace-nowrap">
                <time dateTime={new Date(entry.at_ms).toISOString()} title={formatInstant(entry.at_ms)}>
                  {formatClockMs(entry.at_ms)}
                </time>
              </td>
              <td className="mono" title={entry.leaf_hash}>
                {entry.leaf_hash.slice(0, 8)}…
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="grid gap-1.5 border-t border-line px-3 py-2 text-xs text-ink-2">
        {checkpoint === undefined ? (
          <p>No signed checkpoint covers these entries yet; one follows within a second or so.</p>
        ) : (
          <p>
            Covered by the signed checkpoint over {formatCount(checkpoint.size)} entries of{" "}
            {formatInstant(checkpoint.at_ms)}.
          </p>
        )}
        {settled?.digests !== undefined && (
          <p className="flex flex-wrap items-center gap-x-3">
            <span>
              request <Digest text={settled.digests.request} />
            </span>
            {settled.digests.answer !== undefined && (
              <span>
                answer <Digest text={settled.digests.answer} />
              </span>
            )}
          </p>
        )}
      </div>
      {amendments.map((amendment) => (
        <div key={`${amendment.node}/${amendment.seq}`} className="border-t border-line px-3 py-2 text-xs">
          <div className="font-semibold">
            {String(amendment.meta["amends"] ?? "amended")}: {String(amendment.meta["label"] ?? "")}{" "}
            {amendment.meta["value"] === undefined ? "" : String(amendment.meta["value"])}
          </div>
          <div className="text-ink-3">
            {formatInstant(amendment.at_ms)}, entry {formatCount(amendment.seq)}
          </div>
        </div>
      ))}
    </Panel>
  );
}
