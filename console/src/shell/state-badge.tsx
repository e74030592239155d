/** A decision's state and result: sign, word and colour together, never colour alone. */
import type { DecisionState } from "../api/types.ts";
import { Ban, Broken, Check, Cross, Dash, Person } from "./icons.tsx";

export const states: Record<DecisionState, { Icon: typeof Check; ink: string; soft: string; stroke: string }> = {
  answered: { Icon: Check, ink: "text-ok", soft: "bg-ok-soft", stroke: "bg-ok" },
  referred: { Icon: Person, ink: "text-warn", soft: "bg-warn-soft", stroke: "bg-warn" },
  refused: { Icon: Ban, ink: "text-hold", soft: "bg-hold-soft", stroke: "bg-hold" },
  failed: { Icon: Cross, ink: "text-bad", soft: "bg-bad-soft", stroke: "bg-bad" },
  interrupted: { Icon: Broken, ink: "text-cut", soft: "bg-cut-soft", stroke: "bg-cut" },
};

const unknown = { Icon: Dash, ink: "text-ink-2", soft: "bg-raised", stroke: "bg-ink-3" };

export function StateBadge({ state, strong = false }: { state: DecisionState | "running"; strong?: boolean }) {
  const { Icon, ink, soft } = state === "running" ? unknown : (states[state] ?? unknown);
  return (
    <span
      className={`inline-flex items-center gap-1 align-middle whitespace-nowrap ${ink} ${strong ? `rounded px-1.5 py-0.5 font-semibold ${soft}` : "font-medium"}`}
    >
      <Icon className="size-3.5 shrink-0" />
      {state}
    </span>
  );
}

/** Colour of a result by what it means to the person decided about. */
export function resultInk(result: string | undefined): string {
  if (result === "approve" || result === "accept") return "text-ok";
  if (result === "decline" || result === "reject") return "text-bad";
  if (result === "refer") return "text-warn";
  return "text-ink";
}
