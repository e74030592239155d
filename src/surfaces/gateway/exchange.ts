/** One HTTP exchange that asks for a decision: id, caller's headers, abort when the client goes, then the answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../kernel/clock.ts";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import { type DecisionId, newDecisionId } from "../../kernel/ids.ts";
import type { Answer, Ask, Call } from "../../path/context.ts";
import { contextOf, credentialOf, jsonTypeRefusal, parseJson, readBody } from "./request.ts";
import { Cancellation, type Signal } from "../../kernel/signal.ts";

export interface Gateway {
  clock: Clock;
  decide(call: Call): Promise<Answer>;
  /** Counts refusals before a decision. */
  countRefusal(refusal: Refusal): void;
  report(fault: unknown): void;
  /** Most bytes of a chat's body, unpacked; images and documents travel in it. */
  maxBodyBytes: number;
  /** True from the first moment of shutting down. */
  draining(): boolean;
}

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  decision: DecisionId;
  /** Aborts with `client_gone` when the connection closes before the answer is complete. */
  signal: Signal;
  startedAtMs: number;
  started: number;
  /** The parser gave the request up while its body was being read. */
  tear(refusal: Refusal): void;
}

export function openExchange(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Exchange {
  const gone = new Cancellation();
  response.on("close", () => {
    if (!response.writableFinished) gone.abort(refuse("client_gone"));
  });
  return {
    request,
    response,
    decision: newDecisionId(gateway.clock),
    signal: gone,
    tear: (refusal) => gone.abort(refusal),
    startedAtMs: gateway.clock.now(),
    started: gateway.clock.monotonic(),
  };
}

export function callOf(exchange: Exchange, surface: string, read: Call["read"]): Call {
  return {
    decision: exchange.decision,
    surface,
    credential: credentialOf(exchange.request),
    context: contextOf(exchange.request),
    startedAtMs: exchange.startedAtMs,
    started: exchange.started,
    signal: exchange.signal,
    read,
  };
}

/** A body within bounds, unpacked. */
export async function readBytes(exchange: Exchange, limitBytes: number): Promise<Buffer | Refusal> {
  const body = await readBody(exchange.request, limitBytes, exchange.signal);
  // What is left of the body will not be read: the connection can't be used again.
  if (isRefusal(body) && body.code === "body_too_large") exchange.response.shouldKeepAlive = false;
  return body;
}

/** A JSON body within bounds, parsed, with its bytes. */
export async function readJson(
  exchange: Exchange,
  limitBytes: number,
): Promise<{ value: unknown; body: Buffer } | Refusal> {
  const wrongType = jsonTypeRefusal(exchange.request);
  if (wrongType) return wrongType;
  const body = await readBytes(exchange, limitBytes);
  if (isRefusal(body)) return body;
  const parsed = parseJson(body);
  return isRefusal(parsed) ? parsed : { value: parsed.value, body };
}

/** Reads a JSON body and lets the surface make an ask of it. */
export async function readJsonAsk(
  exchange: Exchange,
  limitBytes: number,
  toAsk: (value: unknown, body: Buffer) => Ask | Refusal,
): Promise<Ask | Refusal> {
  const read = await readJson(exchange, limitBytes);
  return isRefusal(read) ? read : toAsk(read.value, read.body);
}
