import { Link } from "@tanstack/react-router";
import type { CostDimension, CostsAnswer, Spend } from "../api/operations.ts";
import { formatCompact, formatCount, formatShare } from "../figures/quantity.ts";
import type { CostSearch } from "../router.tsx";
import { Money } from "../shell/money.tsx";
import { Panel } from "../shell/panel.tsx";
import { ShareBar } from "../shell/tile.tsx";

const words: Record<CostDimension, string> = { use_case: "Use case", tenant: "Tenant", model: "Model" };
/** What is looked at next when one of a dimension was picked. */
const deeper: Record<CostDimension, CostDimension> = { tenant: "use_case", use_case: "model", model: "use_case" };

const headings: [name: string, hint?: string][] = [
  ["Decisions"],
  ["Answered"],
  ["Per answered"],
  ["Tokens in", "Fresh input, without what was read from or written to vendors' caches"],
  ["Cache read"],
  ["Cache write"],
  ["Tokens out", "Reasoning included"],
  ["Reasoning"],
  ["Estimated", "Part of the cost whose usage Weir counted itself"],
  ["Saved"],
];

export const SpendTable = ({ costs, search }: { costs: CostsAnswer; search: CostSearch }) => (
  <Panel
    title={`Spend by ${words[costs.by].toLowerCase()}`}
    flush
    aside={costs.by === "model" && "attempts before the one that answered count with its model"}
  >
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col">{words[costs.by]}</th>
          <th scope="col" className="w-[16%]">
            Spent
          </th>
          {headings.map(([heading, hint]) => (
            <th key={heading} scope="col" className="num" title={hint}>
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {costs.groups.map(({ name, spend }) => (
          <tr key={name} className="hover:bg-hover">
            <th scope="row" className="whitespace-nowrap">
              {name === "" ? (
                <span className="text-xs font-normal text-ink-2">no model</span>
              ) : (
                <Link
                  to="/cost"
                  search={{ ...search, [costs.by]: name, by: deeper[costs.by] }}
                  className="text-xs font-semibold text-ink hover:text-accent hover:underline"
                >
                  {name}
                </Link>
              )}
            </th>
            <td className="min-w-36">
              <span className="mb-1 flex items-baseline gap-2">
                <Money nanoUsd={spend.cost_nano_usd} />
                <span className="text-2xs text-ink-3">
                  {formatShare(spend.cost_nano_usd, costs.totals.cost_nano_usd)}
                </span>
              </span>
              <ShareBar part={spend.cost_nano_usd} whole={costs.totals.cost_nano_usd} />
            </td>
            <SpendCells spend={spend} />
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
);

const SpendCells = ({ spend }: { spend: Spend }) => (
  <>
    <td className="num">{formatCount(spend.decisions)}</td>
    <td className="num">{formatShare(spend.answered, spend.decisions)}</td>
    <td className="num">
      {spend.answered === 0 ? "–" : <Money nanoUsd={Math.round(spend.cost_nano_usd / spend.answered)} />}
    </td>
    <Tokens count={spend.input + spend.audio_input} />
    <Tokens count={spend.cached_input} />
    <Tokens count={spend.cache_write} />
    <Tokens count={spend.output + spend.audio_output + spend.image_output} />
    <Tokens count={spend.reasoning} />
    <td className="num">{formatShare(spend.estimated_nano_usd, spend.cost_nano_usd)}</td>
    <td className="num">
      {spend.saved_nano_usd === 0 ? <span className="text-ink-3">–</span> : <Money nanoUsd={spend.saved_nano_usd} />}
    </td>
  </>
);

const Tokens = ({ count }: { count: number }) => (
  <td className="num" title={formatCount(count)}>
    {count === 0 ? <span className="text-ink-3">–</span> : formatCompact(count)}
  </td>
);
