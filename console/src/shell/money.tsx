import { splitUsd } from "../figures/money.ts";

/** Exact to the nano-dollar: the cents stand out, what follows them stays readable. */
export function Money({ nanoUsd }: { nanoUsd: number }) {
  const { major, minor } = splitUsd(nanoUsd);
  return (
    <span className="whitespace-nowrap">
      {major}
      {minor !== "" && (
        <span className={major.endsWith("$0.00") ? "" : "text-[0.86em] font-normal text-ink-3"}>{minor}</span>
      )}
    </span>
  );
}
