/** Colour and dash of the n-th series: readers who can't tell the colours tell the dashes. */
export const seriesColour = (index: number): string => `var(--series-${(index % 6) + 1})`;

const dashes = [undefined, "6 3", "2 2.5", "9 3 2 3", "4 2 1 2", "12 4"];
export const seriesDash = (index: number): string | undefined => dashes[index % dashes.length];
