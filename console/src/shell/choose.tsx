/** A labelled choice among a few values. */
interface ChooseProps<Value extends string> {
  label: string;
  value: Value;
  choices: Record<Value, string>;
  set: (value: Value) => void;
}

export const Choose = <Value extends string>({ label, value, choices, set }: ChooseProps<Value>) => (
  <label className="grid min-w-0 content-start gap-1 text-xs">
    <span className="text-ink-2">{label}</span>
    <select className="field text-xs" value={value} onChange={(event) => set(event.target.value as Value)}>
      {(Object.entries(choices) as [Value, string][]).map(([choice, words]) => (
        <option key={choice} value={choice}>
          {words}
        </option>
      ))}
    </select>
  </label>
);
