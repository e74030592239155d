import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useState } from "react";
import { declaredUseCasesQuery } from "../api/queries.ts";
import type { DecisionRow } from "../api/types.ts";
import { Cross, Search } from "../shell/icons.tsx";
import { type FilterName, type Filters, seenValues, stateNames } from "./filters.ts";

interface FilterBarProps {
  filters: Filters;
  rows: readonly DecisionRow[];
  change: (filters: Filters) => void;
  searchRef: React.RefObject<HTMLInputElement | null>;
}

export function FilterBar({ filters, rows, change, searchRef }: FilterBarProps) {
  const declared = useQuery(declaredUseCasesQuery);
  const set = (name: FilterName, value: string): void => {
    const next = { ...filters };
    if (value === "") delete next[name];
    else next[name] = value;
    change(next);
  };
  const active = Object.keys(filters).length;
  return (
    <search className="flex flex-wrap items-center gap-1.5 border-b border-line px-4 pb-2">
      <TextFilter
        name="q"
        label="Find"
        hint="decision id or subject"
        value={filters.q ?? ""}
        set={set}
        inputRef={searchRef}
        wide
      />
      <ChoiceFilter
        name="use_case"
        label="Use case"
        value={filters.use_case ?? ""}
        choices={(declared.data?.use_cases ?? []).map(({ name }) => name)}
        set={set}
      />
      <ChoiceFilter name="state" label="State" value={filters.state ?? ""} choices={stateNames} set={set} />
      <TextFilter
        name="result"
        label="Result"
        hint="any"
        value={filters.result ?? ""}
        set={set}
        suggestions={seenValues(rows, "result")}
      />
      <TextFilter
        name="code"
        label="Code"
        hint="any"
        value={filters.code ?? ""}
        set={set}
        suggestions={seenValues(rows, "code")}
      />
      <TextFilter
        name="principal"
        label="Principal"
        hint="any"
        value={filters.principal ?? ""}
        set={set}
        suggestions={seenValues(rows, "principal_id")}
      />
      {active > 0 && (
        <button
          type="button"
          className="control border-transparent bg-transparent text-ink-2"
          onClick={() => change({})}
        >
          <Cross className="size-3" />
          Clear {active === 1 ? "filter" : `${active} filters`}
        </button>
      )}
    </search>
  );
}

const box =
  "flex h-7 items-center gap-1.5 rounded-[5px] border bg-surface pl-2 text-xs focus-within:outline-2 focus-within:outline-accent data-active:border-accent data-active:bg-accent-soft";
const boxOf = (value: string): { className: string; "data-active"?: "" } => ({
  className: `${box} ${value === "" ? "border-line-strong" : "border-accent"}`,
  ...(value === "" ? {} : { "data-active": "" as const }),
});

interface ChoiceProps {
  name: FilterName;
  label: string;
  value: string;
  choices: readonly string[];
  set: (name: FilterName, value: string) => void;
}

const ChoiceFilter = ({ name, label, value, choices, set }: ChoiceProps) => (
  <label {...boxOf(value)}>
    <span className="text-ink-3">{label}</span>
    <select
      className="h-full rounded-r-[5px] bg-transparent pr-1 font-medium outline-none [&>option]:bg-surface"
      value={value}
      onChange={(event) => set(name, event.target.value)}
    >
      <option value="">any</option>
      {(value === "" || choices.includes(value) ? choices : [value, ...choices]).map((choice) => (
        <option key={choice}>{choice}</option>
      ))}
    </select>
  </label>
);

interface TextProps {
  name: FilterName;
  label: string;
  hint: string;
  value: string;
  set: (name: FilterName, value: string) => void;
  suggestions?: string[];
  inputRef?: React.RefObject<HTMLInputElement | null>;
  wide?: boolean;
}

const settleMs = 300;

/** Takes effect when typing pauses, so that each letter isn't a request. */
function TextFilter({ name, label, hint, value, set, suggestions, inputRef, wide = false }: TextProps) {
  const [text, setText] = useState(value);
  const list = useId();
  // The address may change by other ways than this field; what the field itself sent must not undo further typing.
  const [known, setKnown] = useState({ value, sent: value });
  if (known.value !== value) {
    setKnown({ value, sent: value });
    if (known.sent !== value) setText(value);
  }
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => {
      setKnown((before) => ({ ...before, sent: text.trim() }));
      set(name, text.trim());
    }, settleMs);
    return () => clearTimeout(timer);
  }, [text, value, name, set]);
  return (
    <label {...boxOf(value)}>
      {wide ? <Search className="size-3.5 text-ink-3" /> : <span className="text-ink-3">{label}</span>}
      <input
        ref={inputRef}
        className={`h-full rounded-r-[5px] bg-transparent pr-2 font-medium outline-none placeholder:font-normal placeholder:text-ink-3 ${wide ? "w-56" : "w-28"}`}
        aria-label={wide ? `${label}: ${hint}` : label}
        placeholder={hint}
        value={text}
        list={suggestions === undefined ? undefined : list}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && (text === "" ? event.currentTarget.blur() : setText(""))}
      />
      {wide && <kbd className="key mr-1">/</kbd>}
      {suggestions !== undefined && (
        <datalist id={list}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} aria-label={suggestion} />
          ))}
        </datalist>
      )}
    </label>
  );
}
