/** `POST /v1/messages/count_tokens`: how many input tokens a request would hold, before it is sent. Nothing is decided, so nothing is recorded. */
import type { ClientDialect } from "../../engines/dialects/port.ts";
import type { ChatRequest } from "../../kernel/chat.ts";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Snapshot, UseCase } from "../../kernel/snapshot.ts";
import { type Exchange, type Gateway, credentialOf, readJson, sendJson } from "../gateway/index.ts";

export interface TokenCounts {
  identify(credential: string | undefined): Principal | Refusal;
  snapshot(): Snapshot;
  mayCall(principal: Principal, useCase: UseCase): boolean;
  /** Tokens of the use case's prompt and of the request, as its first model would count them; an estimate. */
  count(useCase: UseCase, request: ChatRequest): number;
}

export async function countTokens(
  gateway: Gateway,
  exchange: Exchange,
  dialect: ClientDialect,
  counts: TokenCounts,
): Promise<{ tokens: number } | Refusal> {
  const principal = counts.identify(credentialOf(exchange.request));
  if (isRefusal(principal)) return principal;
  const read = await readJson(exchange, gateway.maxBodyBytes);
  if (isRefusal(read)) return read;
  // The route takes the body of a message, but for the bound that only an answer needs.
  const body = typeof read.value === "object" && read.value !== null ? { max_tokens: 1, ...read.value } : read.value;
  const decoded = dialect.decodeRequest(body);
  if (!decoded.ok) return refuse("invalid_request", decoded.message, { param: decoded.path });
  const useCase = counts.snapshot().useCases.get(decoded.request.model);
  if (!useCase || useCase.kind !== "chat" || !counts.mayCall(principal, useCase))
    return refuse("unknown_use_case", undefined, { param: "model" });
  return { tokens: counts.count(useCase, decoded.request) };
}

export function sendCount(exchange: Exchange, tokens: number): void {
  // No vendor was asked: what it would count may differ by some percent.
  const headers = { "x-weir-decision-id": exchange.decision, "x-weir-estimated": "true" };
  sendJson(exchange.response, 200, headers, { input_tokens: tokens });
}
