/** One of a few, kept in the address. */
import { Link } from "@tanstack/react-router";

interface SwitchProps<Choice extends string> {
  label: string;
  choices: readonly Choice[];
  chosen: Choice;
  to: string;
  searchOf: (choice: Choice) => Record<string, string | undefined>;
  words?: Partial<Record<Choice, string>>;
}

export const Switch = <Choice extends string>({ label, choices, chosen, to, searchOf, words }: SwitchProps<Choice>) => (
  <nav
    aria-label={label}
    className="flex max-w-full overflow-x-auto rounded-[5px] border border-line-strong bg-surface p-px"
  >
    {choices.map((choice) => (
      <Link
        key={choice}
        to={to}
        search={searchOf(choice) as never}
        aria-current={choice === chosen ? "page" : undefined}
        className={`rounded-[3px] px-2.5 py-1 text-xs whitespace-nowrap ${choice === chosen ? "bg-accent-fill font-semibold text-accent-ink" : "text-ink-2 hover:bg-hover hover:text-ink"}`}
      >
        {words?.[choice] ?? choice}
      </Link>
    ))}
  </nav>
);
