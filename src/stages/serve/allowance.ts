/** What a vendor says is left of its own limits, with each answer. */
type Headers = Record<string, string | string[] | undefined>;

export interface Allowance {
  requests?: number;
  tokens?: number;
  /** Until what is spent is filled up again; where nothing is, until the first of them is. */
  resetMs: number;
}

/** OpenAI's `x-ratelimit-remaining-*` (many vendors send them) and Anthropic's; `undefined` where nothing is said. */
export function allowanceOf(headers: Headers, durationOf: (text: string) => number | undefined): Allowance | undefined {
  const requests = countOf(
    headers["x-ratelimit-remaining-requests"] ?? headers["anthropic-ratelimit-requests-remaining"],
  );
  const tokens = countOf(headers["x-ratelimit-remaining-tokens"] ?? headers["anthropic-ratelimit-tokens-remaining"]);
  if (requests === undefined && tokens === undefined) return undefined;
  const resetOf = (...names: string[]) => {
    const text = names.map((name) => headers[name]).find((value) => typeof value === "string");
    return typeof text === "string" ? durationOf(text) : undefined;
  };
  const limits = [
    { left: requests, resetMs: resetOf("x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset") },
    { left: tokens, resetMs: resetOf("x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset") },
  ];
  const times = (of: typeof limits) => of.flatMap(({ resetMs }) => resetMs ?? []);
  const spent = times(limits.filter(({ left }) => left === 0));
  const known = times(limits);
  // Without a time to wait for, a count alone would hold calls back for ever.
  if (known.length === 0) return undefined;
  return {
    ...(requests !== undefined && { requests }),
    ...(tokens !== undefined && { tokens }),
    resetMs: spent.length > 0 ? Math.max(...spent) : Math.min(...known),
  };
}

function countOf(value: string | string[] | undefined): number | undefined {
  if (typeof value !== "string" || !/^\d{1,15}$/.test(value)) return undefined;
  return Number(value);
}
