import type { CostsAnswer } from "../api/operations.ts";
import { sumSeries } from "../charts/scales.ts";
import { Sparkline } from "../charts/sparkline.tsx";
import { formatCompact, formatCount, formatShare } from "../figures/quantity.ts";
import { Money } from "../shell/money.tsx";
import { ShareBar, Tile, Tiles } from "../shell/tile.tsx";

export function SpendTiles({ costs }: { costs: CostsAnswer }) {
  const { totals } = costs;
  const input = totals.input + totals.cached_input + totals.cache_write + totals.audio_input;
  const spent = sumSeries(
    costs.groups.map(({ series }) => series.map(({ at_ms, cost_nano_usd }) => ({ at: at_ms, value: cost_nano_usd }))),
  );
  const output = totals.output + totals.audio_output + totals.image_output;
  return (
    <Tiles label="Totals">
      <Tile
        name="Spent"
        value={<Money nanoUsd={totals.cost_nano_usd} />}
        detail={`${formatCount(totals.decisions)} decisions`}
      >
        <Sparkline points={spent} />
      </Tile>
      <Tile
        name="Per answered decision"
        value={totals.answered === 0 ? "–" : <Money nanoUsd={Math.round(totals.cost_nano_usd / totals.answered)} />}
        detail={`all cost over ${formatCompact(totals.answered)} answered`}
      >
        <ShareBar part={totals.answered} whole={totals.decisions} />
      </Tile>
      <Tile
        name="Saved by the cache"
        value={<Money nanoUsd={totals.saved_nano_usd} />}
        detail={`${formatCompact(totals.cache_hits)} answers remembered`}
      >
        <ShareBar part={totals.saved_nano_usd} whole={totals.saved_nano_usd + totals.cost_nano_usd} className="bg-ok" />
      </Tile>
      <Tile
        name="Estimated"
        value={formatShare(totals.estimated_nano_usd, totals.cost_nano_usd)}
        detail={`${formatCompact(totals.estimated)} decisions counted by Weir`}
      >
        <ShareBar part={totals.estimated_nano_usd} whole={totals.cost_nano_usd} className="bg-warn" />
      </Tile>
      <Tile
        name="Tokens in"
        value={formatCompact(input)}
        detail={`${formatShare(totals.cached_input, input)} read from vendors' caches`}
      >
        <ShareBar part={totals.cached_input} whole={input} />
      </Tile>
      <Tile
        name="Tokens out"
        value={formatCompact(output)}
        detail={`${formatShare(totals.reasoning, totals.output)} of them reasoning`}
      >
        <ShareBar part={totals.reasoning} whole={totals.output} />
      </Tile>
    </Tiles>
  );
}
