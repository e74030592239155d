/** What the cache holds and saves, and dropping answers that no longer hold. */
import { useQuery } from "@tanstack/react-query";
import { type CacheAnswer, cacheQuery } from "../api/operations.ts";
import { sessionQuery } from "../api/queries.ts";
import { formatCompact, formatCount, formatDuration, formatShare } from "../figures/quantity.ts";
import { mayOperate } from "../session/roles.ts";
import { Lock } from "../shell/icons.tsx";
import { Money } from "../shell/money.tsx";
import { Panel } from "../shell/panel.tsx";
import { AnswerScreen, Nothing } from "../shell/screen.tsx";
import { ShareBar, Tile, Tiles } from "../shell/tile.tsx";
import { InvalidateForm } from "./invalidate-form.tsx";

export function CacheScreen() {
  const query = useQuery(cacheQuery);
  const session = useQuery(sessionQuery).data;
  const allowed = session !== undefined && session !== null && mayOperate(session.operator.roles);
  return (
    <AnswerScreen title="Cache" what="the cache" query={query}>
      {(answer) => (
        <>
          <Figures answer={answer} />
          <Panel title="By use case" aside="figures of the last 24 hours" flush>
            {answer.use_cases.length === 0 ? (
              <Nothing>
                No use case keeps answers. Declare <code className="mono">cache: {"{ exact: 10m }"}</code> where the
                same question may get the same answer.
              </Nothing>
            ) : (
              <UseCases lines={answer.use_cases} />
            )}
          </Panel>
          <Panel title="Drop answers" aside="journaled with your name and reason">
            {allowed ? (
              <InvalidateForm answer={answer} />
            ) : (
              <p className="flex items-center gap-2 text-xs text-ink-2">
                <Lock className="size-4 shrink-0 text-ink-3" />
                Dropping answers needs the role admin.
              </p>
            )}
          </Panel>
        </>
      )}
    </AnswerScreen>
  );
}

function Figures({ answer: { live, use_cases } }: { answer: CacheAnswer }) {
  const sum = (of: (line: CacheAnswer["use_cases"][number]) => number): number =>
    use_cases.reduce((total, line) => total + of(line), 0);
  const [hits, decisions] = [sum(({ cache_hits }) => cache_hits), sum((line) => line.decisions)];
  return (
    <Tiles label="Figures">
      <Tile
        name="Hits in 24 h"
        value={formatShare(hits, decisions)}
        detail={`${formatCompact(hits)} of ${formatCompact(decisions)} decisions`}
      >
        <ShareBar part={hits} whole={decisions} />
      </Tile>
      <Tile
        name="Saved in 24 h"
        value={<Money nanoUsd={sum(({ saved_nano_usd }) => saved_nano_usd)} />}
        detail="their cost when made"
      />
      <Tile name="Answers kept" value={formatCount(live.entries)} detail={`${formatCompact(live.bytes)} bytes`} />
      <Tile
        name="Hits since start"
        value={formatShare(live.hits, live.hits + live.misses)}
        detail={`${formatCompact(live.hits)} hits, ${formatCompact(live.misses)} misses`}
      >
        <ShareBar part={live.hits} whole={live.hits + live.misses} />
      </Tile>
      <Tile name="Saved since start" value={<Money nanoUsd={live.saved_nano_usd} />} detail="by this process" />
    </Tiles>
  );
}

const UseCases = ({ lines }: { lines: CacheAnswer["use_cases"] }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Use case</th>
        <th scope="col" className="num">
          Kept for
        </th>
        <th scope="col">Tags</th>
        <th scope="col" className="num">
          Decisions
        </th>
        <th scope="col" className="w-[20%]">
          From the cache
        </th>
        <th scope="col" className="num">
          Saved
        </th>
      </tr>
    </thead>
    <tbody>
      {lines.map(({ name, exact_ttl_ms, tags, decisions, cache_hits, saved_nano_usd }) => (
        <tr key={name}>
          <th scope="row" className="!text-xs !font-semibold !text-ink">
            {name}
          </th>
          <td className="num">{exact_ttl_ms === undefined ? "no longer" : formatDuration(exact_ttl_ms)}</td>
          <td className="mono">{tags.length === 0 ? <span className="text-ink-3">none</span> : tags.join(", ")}</td>
          <td className="num">{formatCount(decisions)}</td>
          <td className="min-w-32">
            <span className="mb-1 block">
              {formatShare(cache_hits, decisions)}{" "}
              <span className="text-2xs text-ink-3">{formatCount(cache_hits)}</span>
            </span>
            <ShareBar part={cache_hits} whole={decisions} />
          </td>
          <td className="num">
            <Money nanoUsd={saved_nano_usd} />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);
