import type { Decision } from "../../path/context.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Limits } from "../../kernel/snapshot.ts";
import type { LimitBook, ScopedLimits, Shortage } from "./limit-book.ts";
import { estimateRequestTokens } from "./token-estimate.ts";

/** Tokens that a chat may produce when the client names no bound. */
const usualOutputTokens = 1024;

export function createReserve(options: { limits: LimitBook }): (d: Decision) => Refusal | undefined {
  return (d) => {
    const scopes = scopesOf(d);
    const tokens = d.request ? estimateRequestTokens(d.request) + (d.request.max_tokens ?? usualOutputTokens) : 0;
    const room = options.limits.take(scopes, tokens);
    if ("kind" in room) {
      if (room.kind === "requests") d.limits = spent(room);
      return refusalOf(room);
    }
    if (room.tightest) d.limits = room.tightest;
    const before = d.release;
    d.release = () => {
      before();
      room.release(d.usage.input + d.usage.cached_input + d.usage.output);
    };
    return undefined;
  };
}

/** What the RateLimit headers of a 429 say. */
const spent = ({ scope, limit, waitMs }: Shortage) => ({
  policy: scope.split(":")[0]!,
  limit,
  remaining: 0,
  resetMs: waitMs,
});

function scopesOf(d: Decision): ScopedLimits[] {
  const scopes: ScopedLimits[] = [];
  const add = (scope: string, limits: Limits) => {
    if (limits.requestsPerMinute ?? limits.tokensPerMinute ?? limits.concurrency) scopes.push({ scope, limits });
  };
  const { principal } = d;
  add(`tenant:${d.tenant.name}`, d.tenant.limits);
  add(`use:${d.tenant.name}/${d.useCase.name}`, d.useCase.limits);
  add(`key:${principal.credential}`, {
    ...(principal.requests_per_minute !== undefined && { requestsPerMinute: principal.requests_per_minute }),
    ...(principal.tokens_per_minute !== undefined && { tokensPerMinute: principal.tokens_per_minute }),
    ...(principal.concurrency !== undefined && { concurrency: principal.concurrency }),
  });
  return scopes;
}

const whose: Record<string, string> = { tenant: "the tenant", use: "this use case", key: "this key" };

function refusalOf(short: Shortage): Refusal {
  const owner = whose[short.scope.split(":")[0]!] ?? short.scope;
  const more = { retryAfterMs: short.waitMs };
  switch (short.kind) {
    case "requests":
      return refuse("rate_limited", `Over ${short.limit} requests a minute for ${owner}.`, more);
    case "tokens":
      return refuse("token_limited", `Over ${short.limit} tokens a minute for ${owner}.`, more);
    case "concurrency":
      return refuse("concurrency_limited", `Over ${short.limit} requests at once for ${owner}.`, more);
  }
}
