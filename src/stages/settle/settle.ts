import { openCollector } from "../../kernel/chat-stream.ts";
import { type Refusal, WeirError, codeOfFault, errorKinds, isRefusal, refuse } from "../../kernel/errors.ts";
import type { ChatResponse } from "../../kernel/chat.ts";
import { PulledStream } from "../../kernel/stream.ts";
import type { SettledMeta } from "../../kernel/decision.ts";
import type { Appended, Journal } from "../../ledger/port.ts";
import type { Answer, Decision, Frame, Outcome } from "../../path/context.ts";
import type { Settle } from "../../path/path.ts";
import type { IdempotencyTable } from "../admit/index.ts";
import type { ExactCache } from "../recall/index.ts";
import { type Ending, begunMeta, settledContent, settledMeta } from "./meta.ts";

export interface SettlePorts {
  journal: Journal;
  idempotency: IdempotencyTable;
  cache: ExactCache;
  /** Takes card security codes out of a text that is about to be recorded. */
  scrub(text: string): string;
  /** HMAC-SHA256 under the install's key, hex. */
  digest(data: string | Uint8Array): string;
  /** Counters and histograms. */
  begun(d: Decision): void;
  settled(d: Decision, meta: SettledMeta): void;
  replayed(d: Decision): void;
  /** A refusal that could not be written down. */
  unrecorded(refusal: Refusal): void;
  report(d: Decision, fault: unknown): void;
}

/** A caller of a sealed use case is told at once that the disk refuses; what was appended is still written later. */
const failFast = { failFast: true } as const;

export function createSettle(ports: SettlePorts): Settle {
  /** Appends `settled` and lets everything go, once; a promise where the answer must wait for the disk. */
  function close(
    d: Decision,
    outcome: Outcome,
    ending: Ending,
    said?: ChatResponse,
  ): { meta: SettledMeta; sealed: Promise<void> | undefined } {
    if (d.settled) throw new WeirError("internal", `decision ${d.id} was settled twice`);
    d.settled = true;
    const from = d.clock.monotonic();
    const digests = d.useCase.record === "digest" ? { digests: digestsOf(ports, d, outcome) } : undefined;
    const meta = settledMeta(d, { ...ending, ...digests });
    const content = settledContent(d, outcome, ports.scrub, said);
    const key = { tenant: d.tenant.name, ...(d.subject !== undefined && { subject: d.subject }) };
    let appended: Appended | undefined;
    try {
      // Before `settled`: a full journal takes entries of begun decisions only.
      if (d.begun && d.protectedFeatures) keepProtected(ports, d);
      appended = ports.journal.append({
        kind: "settled",
        tenant: d.tenant.name,
        decision: d.id,
        meta,
        ...(content && { content: { key, value: content } }),
      });
    } catch (fault) {
      // Without `begun` nothing on disk will ever tell of it: then it is at least a counted refusal.
      if (!d.begun) ports.unrecorded(refuse(codeOfFault(fault)));
      throw fault;
    } finally {
      d.release();
      if (outcome.type === "chat" && isOwnAnswer(d, ending)) ports.cache.land(d, outcome.response);
      else ports.cache.abandon(d);
      endIdempotency(ports, d, ending, appended);
    }
    ports.settled(d, meta);
    d.stages.settle = d.clock.monotonic() - from;
    return { meta, sealed: mustWait(d) ? appended.durable(failFast) : undefined };
  }

  function answer(d: Decision, outcome: Outcome, ending: Ending): Answer | Promise<Answer> {
    const { meta, sealed } = close(d, outcome, ending);
    const made = answerOf(d, outcome, meta);
    return sealed ? sealed.then(() => made) : made;
  }

  const settle: Settle = {
    begin(d) {
      const { journal } = ports;
      const sealed = mustWait(d);
      if (journal.full || (sealed && !journal.writable)) return unrecorded();
      const appended = journal.append({
        kind: "begun",
        tenant: d.tenant.name,
        decision: d.id,
        meta: begunMeta(d),
      });
      d.begun = true;
      ports.begun(d);
      return sealed ? appended.durable(failFast) : undefined;
    },

    answered(d, outcome) {
      if (outcome.type !== "stream")
        return answer(d, outcome, { state: d.referTo === undefined ? "answered" : "referred" });
      const frames = new RecordedStream(d, outcome.frames, close, ports);
      return answerOf(d, { ...outcome, frames, signal: d.signal }, undefined);
    },

    refused(d, refusal) {
      const known: Refusal = isRefusal(refusal) ? refusal : refuse("client_gone");
      return answer(d, { type: "refused", refusal: known }, { state: stateOf(known), code: known.code });
    },

    replayed(d, earlier) {
      d.release();
      ports.replayed(d);
      return earlier;
    },

    fault(d, fault) {
      const code = codeOfFault(fault);
      // A disk that refuses is a state of the house that health and metrics tell, not a fault of this decision.
      if (code !== "record_unavailable") ports.report(d, fault);
      const refusal = code === "record_unavailable" ? unrecorded() : refuse(code);
      if (d.settled) return answerOf(d, { type: "refused", refusal }, undefined);
      try {
        const answered = answer(d, { type: "refused", refusal }, { state: "failed", code });
        return answered instanceof Promise ? answered.catch(() => unrecordedAnswer(d)) : answered;
      } catch {
        // Nothing may be served unrecorded; a begun entry is settled at recovery.
        return unrecordedAnswer(d);
      }
    },
  };
  return settle;
}

const unrecorded = (): Refusal => refuse("record_unavailable", undefined, { retryAfterMs: 2000 });

const unrecordedAnswer = (d: Decision): Answer => answerOf(d, { type: "refused", refusal: unrecorded() }, undefined);

/** Idempotent requests are durable in every tier: a repeated key must never lead to a second vendor call. */
const mustWait = (d: Decision): boolean => d.useCase.durability === "sealed" || d.idempotency !== undefined;

const stateOf = (refusal: Refusal) => {
  const { fault } = errorKinds[refusal.code];
  return fault === "upstream" || fault === "weir" || refusal.code === "client_gone" ? "failed" : "refused";
};

function answerOf(d: Decision, outcome: Outcome, meta: SettledMeta | undefined): Answer {
  return {
    decision: d.id,
    outcome,
    settled: {
      use_case: d.useCase.name,
      state: meta?.state ?? "answered",
      attempts: d.attemptsBegun,
      cache: d.cache,
      stages: d.stages,
      ...(d.model !== undefined && { model: d.model }),
      ...(d.dropped.size > 0 && { dropped: [...d.dropped] }),
      ...(d.score !== undefined && { score: d.score }),
      ...(d.result !== undefined && { result: d.result }),
      ...(meta?.thresholds && { thresholds: meta.thresholds }),
      ...(d.rule !== undefined && { rule: d.rule }),
    },
    ...(d.limits && { limits: d.limits }),
    ...(d.tokenLimits && { tokenLimits: d.tokenLimits }),
  };
}

type Close = (
  d: Decision,
  outcome: Outcome,
  ending: Ending,
  said?: ChatResponse,
) => { sealed: Promise<void> | undefined };

/** Passes frames on and settles before the terminal one leaves; a reader who goes early settles what was delivered. */
class RecordedStream extends PulledStream<Frame> {
  readonly #d: Decision;
  readonly #source: AsyncIterator<Frame>;
  readonly #close: Close;
  readonly #ports: SettlePorts;
  readonly #heard = openCollector();
  readonly #delivered = { frames: 0, bytes: 0, complete: false };
  #open = true;

  constructor(d: Decision, frames: AsyncIterable<Frame>, close: Close, ports: SettlePorts) {
    super();
    this.#d = d;
    this.#source = frames[Symbol.asyncIterator]();
    this.#close = close;
    this.#ports = ports;
  }

  protected pull(): Promise<Frame | undefined> {
    if (!this.#open) return this.#finish();
    return this.#source.next().then(this.#pass).catch(this.#broken);
  }

  readonly #pass = (next: IteratorResult<Frame>): Frame | undefined | Promise<Frame | undefined> => {
    if (next.done) return this.#finish();
    const frame = next.value;
    const sealed = this.#hear(frame);
    return sealed ? sealed.then(() => this.#count(frame)) : this.#count(frame);
  };

  /** What the record will say of it; a promise where the frame must wait for the disk. */
  #hear({ events }: Frame): Promise<void> | undefined {
    for (const event of events) this.#heard.add(event);
    const error = events.find((event) => event.type === "error");
    if (error) {
      const code = isErrorCode(error.code) ? error.code : "stream_broken";
      return this.#end({ state: stateOf(refuse(code)), code, delivered: this.#delivered });
    }
    if (!events.some((event) => event.type === "end")) return undefined;
    this.#delivered.complete = true;
    return this.#end({ state: "answered", delivered: this.#delivered });
  }

  #count(frame: Frame): Frame {
    this.#delivered.frames += 1;
    this.#delivered.bytes += frame.raw?.length ?? wordsIn(frame);
    return frame;
  }

  readonly #broken = async (fault: unknown): Promise<Frame> => {
    this.#ports.report(this.#d, fault);
    const code = codeOfFault(fault);
    if (this.#open) await this.#end({ state: "failed", code, delivered: this.#delivered });
    return { events: [{ type: "error", message: errorKinds[code].title, code }] };
  };

  #end(ending: Ending): Promise<void> | undefined {
    this.#open = false;
    // A broken answer is never kept as a whole one: what a repeated idempotency key gets is the refusal.
    const outcome: Outcome = ending.code
      ? { type: "refused", refusal: refuse(ending.code) }
      : { type: "chat", response: this.#heard.partial() };
    return this.#close(this.#d, outcome, ending, this.#heard.partial()).sealed;
  }

  async #finish(): Promise<undefined> {
    this.over = true;
    await this.leave();
    return undefined;
  }

  protected async leave(): Promise<void> {
    // The source first: its attempt is booked before the decision is settled.
    await this.#source.return?.();
    if (this.#open) await this.#end({ state: "failed", code: abortCode(this.#d), delivered: this.#delivered });
  }
}

/** What a frame says, in UTF-16 units: its bytes are the surface's business where it is encoded anew. */
function wordsIn({ events }: Frame): number {
  let length = 0;
  for (const event of events) {
    if (event.type === "text" || event.type === "reasoning") length += event.text.length;
    else if (event.type === "tool_call_delta") length += event.arguments.length;
  }
  return length;
}

const isErrorCode = (code: string | undefined): code is keyof typeof errorKinds =>
  code !== undefined && Object.hasOwn(errorKinds, code);

const abortCode = (d: Decision) => (isRefusal(d.signal.reason) ? d.signal.reason.code : "client_gone");

/** Only what the use case's first choice answered may stand for later requests: no fallback, no stand-in text. */
const isOwnAnswer = (d: Decision, ending: Ending): boolean =>
  ending.state === "answered" &&
  d.cache.status === "miss" &&
  d.model !== "template" &&
  d.attempts.every((attempt) => attempt.status === "ok");

/** A key stays in flight until what became of it is on disk: only then can it be read back. */
function endIdempotency(ports: SettlePorts, d: Decision, ending: Ending, appended: Appended | undefined): void {
  if (!d.idempotency) return;
  const { key } = d.idempotency;
  const end = (state: "done" | "interrupted") => ports.idempotency.settled(key, d.id, state, appended?.seq ?? 0);
  if (!d.begun) ports.idempotency.free(key, d.id);
  else if (!appended || ending.code === "client_gone") end("interrupted");
  else
    appended.durable().then(
      () => end("done"),
      () => end("interrupted"),
    );
}

/** Protected attributes lie under a key of their own, beside the record, for fairness audits only. */
function keepProtected(ports: SettlePorts, d: Decision): void {
  const subject = d.subject === undefined ? "protected" : `${d.subject}:protected`;
  ports.journal.append({
    kind: "amended",
    tenant: d.tenant.name,
    decision: d.id,
    meta: { amends: "protected", use_case: d.useCase.name },
    content: { key: { tenant: d.tenant.name, subject }, value: { protected: d.protectedFeatures } },
  });
}

function digestsOf(ports: SettlePorts, d: Decision, outcome: Outcome): NonNullable<SettledMeta["digests"]> {
  const request = ports.digest(d.ask.body);
  if (outcome.type === "refused" || outcome.type === "stream") return { request };
  const answer =
    outcome.type === "score" ? JSON.stringify(outcome.answer) : (outcome.raw ?? JSON.stringify(outcome.response));
  return { request, answer: ports.digest(answer) };
}
