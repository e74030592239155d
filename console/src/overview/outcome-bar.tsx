import type { Totals } from "../api/types.ts";
import { formatCount, formatShare } from "../figures/quantity.ts";
import { states } from "../shell/state-badge.tsx";

const order = ["answered", "referred", "refused", "failed", "interrupted"] as const;

/** How decisions ended, as shares of one bar; the words are its label. */
export function OutcomeBar({ totals, className = "" }: { totals: Totals; className?: string }) {
  const parts = order.filter((state) => totals[state] > 0);
  const words = parts
    .map((state) => `${state} ${formatCount(totals[state])} (${formatShare(totals[state], totals.decisions)})`)
    .join(", ");
  return (
    <span title={words} className={`flex h-1.5 w-full gap-px overflow-hidden rounded-full bg-hover ${className}`}>
      <span className="sr-only">{words === "" ? "no decisions" : words}</span>
      {parts.map((state) => (
        <span
          key={state}
          className={`min-w-0.5 ${states[state].stroke}`}
          style={{ flexGrow: totals[state], flexBasis: 0 }}
        />
      ))}
    </span>
  );
}

/** Same parts in figures, smallest type. */
export const OutcomeWords = ({ totals }: { totals: Totals }) => (
  <span className="flex flex-wrap gap-x-2.5 text-2xs text-ink-2 max-lg:sr-only">
    {order
      .filter((state) => totals[state] > 0)
      .map((state) => {
        const { Icon, ink } = states[state];
        return (
          <span key={state} className="inline-flex items-center gap-0.5 whitespace-nowrap">
            <Icon className={`size-3 ${ink}`} />
            {formatShare(totals[state], totals.decisions)} {state}
          </span>
        );
      })}
  </span>
);
