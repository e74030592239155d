import type { ChatRequest } from "../../kernel/chat.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Decision } from "../../path/context.ts";
import type { LimitBook, Shortage } from "./limit-book.ts";
import type { MoneyBook } from "./money-book.ts";
import { OutputLengths } from "./output-lengths.ts";
import { type ScopeLevel, scopesOf } from "./scopes.ts";
import { estimateTaskTokens } from "./task-tokens.ts";
import { estimateRequestTokens } from "./token-estimate.ts";
import { trimRequest } from "./trim.ts";

export interface ReserveOptions {
  limits: LimitBook;
  money: MoneyBook;
  /** What is to be done about a caller whose calls are unlike all that it did before; undefined where nothing is. */
  unusual?(d: Decision): { action: "throttle" | "block"; retryAfterMs: number } | undefined;
}

export function createReserve(options: ReserveOptions): (d: Decision) => Refusal | undefined {
  const lengths = new OutputLengths();
  return (d) => {
    const scopes = scopesOf(d);
    const unusual = options.unusual?.(d);
    if (unusual?.action === "block") return refuse("unusual_calls", undefined, { retryAfterMs: unusual.retryAfterMs });
    if (unusual?.action === "throttle") d.throttled = true;
    trim(d);
    const tooLong = capInput(d);
    if (tooLong) return tooLong;
    capOutput(d);
    if (d.request) d.expectedOutput = outputOf(lengths, d.useCase.name, d.request);
    const input = inputOf(d);
    if (input > 0) d.inputTokens = input;
    const tokens = input + (d.expectedOutput ?? 0);
    const room = options.limits.take(scopes.limited, tokens);
    if ("kind" in room) {
      tellSpent(d, room);
      return refusalOf(room);
    }
    if (room.requests) d.limits = room.requests;
    if (room.tokens) d.tokenLimits = room.tokens;
    d.budgetLevel = options.money.levelOf(scopes);
    const before = d.release;
    d.release = () => {
      before();
      room.release(usedTokens(d));
      if (d.usage.output > 0) lengths.observe(d.useCase.name, d.usage.output);
    };
    return undefined;
  };
}

const inputOf = ({ request, task }: Decision): number =>
  request ? estimateRequestTokens(request) : task ? estimateTaskTokens(task) : 0;

const outputOf = (lengths: OutputLengths, useCase: string, { max_tokens, n = 1 }: ChatRequest): number =>
  lengths.reserved(useCase, max_tokens) * n;

/** Every token that went in or out, of whatever sort. */
function usedTokens({ usage }: Decision): number {
  const { input, cached_input, output, cache_write = 0, cache_write_1h = 0 } = usage;
  const { audio_input = 0, cached_audio_input = 0, audio_output = 0, image_output = 0 } = usage;
  return (
    input +
    cached_input +
    output +
    cache_write +
    cache_write_1h +
    audio_input +
    cached_audio_input +
    audio_output +
    image_output
  );
}

/** A talk that grew too long goes on with less of its past, where the use case wants it so. */
function trim(d: Decision): void {
  const { trimTo } = d.useCase;
  const trimmed = trimTo !== undefined && d.request ? trimRequest(d.request, trimTo) : undefined;
  if (!trimmed) return;
  const { request, tokensBefore, tokensAfter, turnsDropped } = trimmed;
  d.request = request;
  d.rewritten = true;
  d.trimmed = { tokens_before: tokensBefore, tokens_after: tokensAfter, turns_dropped: turnsDropped };
}

function capInput(d: Decision): Refusal | undefined {
  const { maxInputTokens } = d.useCase;
  if (maxInputTokens === undefined) return undefined;
  const estimate = inputOf(d);
  if (estimate <= maxInputTokens) return undefined;
  return refuse(
    "input_too_long",
    `The input has about ${estimate} tokens; this use case takes ${maxInputTokens} at most.`,
  );
}

/** A model is asked for no longer answers than the use case pays for. The client's own bytes ask for more, so they stay. */
function capOutput(d: Decision): void {
  const { maxOutputTokens } = d.useCase;
  if (maxOutputTokens === undefined || !d.request) return;
  if (d.request.max_tokens !== undefined && d.request.max_tokens <= maxOutputTokens) return;
  d.request = { ...d.request, max_tokens: maxOutputTokens };
  d.rewritten = true;
}

/** What the RateLimit headers of a 429 say. */
function tellSpent(d: Decision, { kind, scope, limit, waitMs }: Shortage): void {
  if (kind === "concurrency") return;
  const spent = { policy: scope.level, limit, remaining: 0, resetMs: waitMs };
  if (kind === "requests") d.limits = spent;
  else d.tokenLimits = spent;
}

export const whose: Record<ScopeLevel, string> = {
  tenant: "the tenant",
  use: "this use case",
  principal: "this principal",
  key: "this key",
};

function refusalOf({ kind, scope, limit, waitMs }: Shortage): Refusal {
  const owner = whose[scope.level];
  const more = { retryAfterMs: waitMs };
  switch (kind) {
    case "requests":
      return refuse("rate_limited", `Over ${limit} requests a minute for ${owner}.`, more);
    case "tokens":
      return refuse("token_limited", `Over ${limit} tokens a minute for ${owner}.`, more);
    case "concurrency":
      return refuse("concurrency_limited", `Over ${limit} requests at once for ${owner}.`, more);
  }
}
