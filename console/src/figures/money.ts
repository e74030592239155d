/** Integer nano-USD as text, exactly: no float arithmetic touches the digits. */
export interface MoneyText {
  /** Sign, currency, dollars and cents: "$12.34". */
  major: string;
  /** What follows the cents, without trailing zeros: "0056". */
  minor: string;
}

export function splitUsd(nanoUsd: number): MoneyText {
  if (!Number.isSafeInteger(nanoUsd)) throw new RangeError(`${nanoUsd} is not a whole number of nano-USD`);
  const sign = nanoUsd < 0 ? "−" : "";
  const digits = Math.abs(nanoUsd).toString().padStart(10, "0");
  const dollars = digits.slice(0, -9).replace(/\B(?=(\d{3})+$)/g, ",");
  return { major: `${sign}$${dollars}.${digits.slice(-9, -7)}`, minor: digits.slice(-7).replace(/0+$/, "") };
}

export function formatUsd(nanoUsd: number): string {
  const { major, minor } = splitUsd(nanoUsd);
  return major + minor;
}

/** For axis labels, where the tick is a round number of nano-USD: "$0.0002", "$1,200". */
export function formatUsdTick(nanoUsd: number): string {
  const rounded = Math.round(nanoUsd);
  return formatUsd(rounded).replace(/\.00$/, "");
}
