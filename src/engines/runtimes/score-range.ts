/** What counts as a score: a probability, give or take the rounding of 32 bits. */
const slack = 1e-6;

/** Says what is wrong with a graph's answer for a row, if anything is. */
export function problemOf(score: number): string | undefined {
  if (score >= -slack && score <= 1 + slack) return undefined;
  return `the graph's score is ${Number.isNaN(score) ? "not a number" : "outside of [0, 1]"}`;
}

export const within = (score: number): number => Math.min(1, Math.max(0, score));
