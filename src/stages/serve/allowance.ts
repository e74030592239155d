/** What a vendor says is left of its own limits, with each answer. */
type Headers = Record<string, string | string[] | undefined>;

export interface Allowance {
  requests?: number;
  tokens?: number;
  /** Until the one that is nearer to its end is filled up again. */
  resetMs: number;
}

/** OpenAI's `x-ratelimit-remaining-*` (many vendors send them) and Anthropic's; `undefined` where nothing is said. */
export function allowanceOf(headers: Headers, durationOf: (text: string) => number | undefined): Allowance | undefined {
  const requests = countOf(
    headers["x-ratelimit-remaining-requests"] ?? headers["anthropic-ratelimit-requests-remaining"],
  );
  const tokens = countOf(headers["x-ratelimit-remaining-tokens"] ?? headers["anthropic-ratelimit-tokens-remaining"]);
  if (requests === undefined && tokens === undefined) return undefined;
  const resets = [
    headers["x-ratelimit-reset-requests"] ?? headers["anthropic-ratelimit-requests-reset"],
    headers["x-ratelimit-reset-tokens"] ?? headers["anthropic-ratelimit-tokens-reset"],
  ].map((text) => (typeof text === "string" ? durationOf(text) : undefined));
  const known = resets.filter((ms) => ms !== undefined);
  // Without a time to wait for, a count alone would hold calls back for ever.
  if (known.length === 0) return undefined;
  return {
    ...(requests !== undefined && { requests }),
    ...(tokens !== undefined && { tokens }),
    resetMs: Math.max(...known),
  };
}

function countOf(value: string | string[] | undefined): number | undefined {
  if (typeof value !== "string" || !/^\d{1,15}$/.test(value)) return undefined;
  return Number(value);
}
