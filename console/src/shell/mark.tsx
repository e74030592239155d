/** A state in a table: sign, word and colour together, never colour alone. */
import { Alert, Ban, Check, Cross, Dash } from "./icons.tsx";

const looks = {
  ok: { Icon: Check, ink: "text-ok" },
  warn: { Icon: Alert, ink: "text-warn" },
  bad: { Icon: Cross, ink: "text-bad" },
  held: { Icon: Ban, ink: "text-hold" },
  idle: { Icon: Dash, ink: "text-ink-3" },
};
export type Tone = keyof typeof looks;

export function Mark({ tone, children }: { tone: Tone; children: React.ReactNode }) {
  const { Icon, ink } = looks[tone];
  return (
    <span className={`inline-flex items-center gap-1 font-medium whitespace-nowrap ${ink}`}>
      <Icon className="size-3.5 shrink-0" />
      {children}
    </span>
  );
}
