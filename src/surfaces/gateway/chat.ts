/** Chat over any client dialect: whole answers, streams, keep-alives while a complete rung works, errors in its own shape. */
import type { ChatEvent, ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import { eventsOf } from "../../kernel/chat-stream.ts";
import { type ErrorCode, type Refusal, errorKinds, refuse } from "../../kernel/errors.ts";
import type { ClientDialect } from "../../engines/dialects/port.ts";
import { timeOf } from "../../kernel/ids.ts";
import type { Answer, ChatAsk, Frame } from "../../path/context.ts";
import { type Exchange, type Gateway, callOf, readJsonAsk } from "./exchange.ts";
import { answerHeaders, sendBytes, sendJson, write } from "./reply.ts";

const keepAliveMs = 5000;
const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

export async function answerChat(
  gateway: Gateway,
  exchange: Exchange,
  dialect: ClientDialect,
  surface: string,
): Promise<void> {
  let ask: ChatAsk | undefined;
  let stopKeepAlive = () => {};
  const call = callOf(exchange, surface, () =>
    readJsonAsk(exchange, gateway.maxBodyBytes, (value, body) => {
      const decoded = dialect.decodeRequest(value);
      if (!decoded.ok) return refuse("invalid_request", decoded.message, { param: decoded.path });
      if (dialect.name === "anthropic-messages") addBetas(decoded.request, exchange.request.headers["anthropic-beta"]);
      ask = { kind: "chat", useCase: decoded.request.model, request: decoded.request, dialect: dialect.name, body };
      if (decoded.request.stream) stopKeepAlive = keepAlive(gateway, exchange);
      return ask;
    }),
  );
  let answer: Answer;
  try {
    answer = await gateway.decide(call);
  } finally {
    stopKeepAlive();
  }
  const { outcome } = answer;
  if (outcome.type === "refused") return sendRefusal(exchange, dialect, answer, outcome.refusal, ask);
  if (!ask || outcome.type === "score" || outcome.type === "task")
    throw new Error(`a chat surface can't show a ${outcome.type}`);
  if (outcome.type === "chat" && !ask.request.stream) return sendWhole(exchange, dialect, answer, ask, outcome);
  const frames = outcome.type === "stream" ? outcome.frames : asFrames(outcome.response);
  await sendStream(exchange, dialect, answer, ask, frames, outcome.type === "stream" && outcome.passThrough);
}

/** Feature names are tokens; whatever else stands in the header is no name of one. */
function addBetas(request: ChatRequest, header: string | string[] | undefined): void {
  const names = String(header ?? "").split(",");
  const betas = names.map((one) => one.trim()).filter((one) => /^[\w.-]{1,64}$/.test(one));
  if (betas.length > 0) request.betas = betas;
}

/** From 5 s on, a stream's client hears that it is still being worked on; model and attempts are then not in headers. */
function keepAlive(gateway: Gateway, exchange: Exchange): () => void {
  const { response } = exchange;
  let stop = gateway.clock.after(keepAliveMs, beat);
  function beat() {
    stop = gateway.clock.after(keepAliveMs, beat);
    if (response.destroyed) return;
    if (!response.headersSent) response.writeHead(200, { ...streamHeaders, "x-weir-decision-id": exchange.decision });
    response.write(": keep-alive\n\n");
  }
  return () => stop();
}

/** An answer is named after its decision: the same answer again (idempotency) has the same name and time. */
const idOf = (answer: Answer) => ({ decision: answer.decision, createdMs: timeOf(answer.decision) });

function errorOf(refusal: Refusal) {
  return {
    code: refusal.code,
    message: refusal.message,
    status: errorKinds[refusal.code].status,
    ...(refusal.param !== undefined && { param: refusal.param }),
  };
}

function sendRefusal(
  exchange: Exchange,
  dialect: ClientDialect,
  answer: Answer,
  refusal: Refusal,
  ask: ChatAsk | undefined,
): void {
  const { response } = exchange;
  if (!response.headersSent)
    return sendJson(
      response,
      errorKinds[refusal.code].status,
      answerHeaders(answer),
      dialect.encodeError(errorOf(refusal)),
    );
  const stream = dialect.openStream(idOf(answer), ask!.request);
  response.end(stream.fail(errorOf(refusal)));
}

function sendWhole(
  exchange: Exchange,
  dialect: ClientDialect,
  answer: Answer,
  ask: ChatAsk,
  outcome: { response: ChatResponse; raw?: Uint8Array | string },
): void {
  const body = outcome.raw ?? JSON.stringify(dialect.encodeResponse(outcome.response, idOf(answer), ask.request));
  sendBytes(exchange.response, 200, answerHeaders(answer), body, "application/json");
}

async function sendStream(
  exchange: Exchange,
  dialect: ClientDialect,
  answer: Answer,
  ask: ChatAsk,
  frames: AsyncIterable<Frame>,
  passThrough: boolean,
): Promise<void> {
  const { response } = exchange;
  const reader = frames[Symbol.asyncIterator]();
  try {
    if (!response.headersSent && !response.destroyed)
      response.writeHead(200, { ...answerHeaders(answer), ...streamHeaders });
    const stream = dialect.openStream(idOf(answer), ask.request);
    const signal = answer.outcome.type === "stream" ? answer.outcome.signal : undefined;
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      const data = passThrough ? rawOf(next.value, stream) : encodeAll(next.value, stream);
      if (data === undefined || data.length === 0) continue;
      const taken = write(response, data, signal);
      if (taken === true || (await taken)) continue;
      // A reader that takes nothing until time is up gets nothing more.
      response.destroy();
      break;
    }
  } finally {
    // Leaving early, for whatever reason, settles what was delivered.
    await reader.return?.();
  }
  response.end();
}

type Stream = ReturnType<ClientDialect["openStream"]>;

/** Untouched bytes; only a failure is written by Weir itself. */
function rawOf(frame: Frame, stream: Stream): string | Uint8Array | undefined {
  const error = frame.events.find((event) => event.type === "error");
  return error ? stream.fail(failureOf(error)) : frame.raw;
}

function encodeAll(frame: Frame, stream: Stream): string {
  let text = "";
  for (const event of frame.events)
    text += event.type === "error" ? stream.fail(failureOf(event)) : stream.encode(event);
  return text;
}

function failureOf(event: Extract<ChatEvent, { type: "error" }>) {
  const code =
    event.code !== undefined && Object.hasOwn(errorKinds, event.code) ? (event.code as ErrorCode) : "stream_broken";
  return { code, message: errorKinds[code].title, status: errorKinds[code].status };
}

/** A whole answer as the stream it would have been. */
async function* asFrames(response: ChatResponse): AsyncGenerator<Frame> {
  yield { events: [...eventsOf(response)] };
}
