import type { Clock } from "../../../kernel/clock.ts";
import type { HealthPolicy } from "../../../kernel/snapshot.ts";
import { Breaker } from "./breaker.ts";
import { MovingAverage, PeakAverage, weightLeft } from "./moving-average.ts";
import { type Peer, outliersOf } from "./outliers.ts";
import { defaultHealth } from "./policy.ts";
import type {
  CallFigures,
  CallOutcome,
  CallTicket,
  HealthChange,
  HealthReport,
  HealthView,
  TargetState,
} from "./port.ts";
import { RetryBudget } from "./retry-budget.ts";
import { RollingWindow } from "./rolling-window.ts";

const ejectionMs = 10_000;
const longestEjectionMs = 300_000;
// A target that has just come back gets a tenth of its share, and more as the seconds pass.
const firstShare = 0.1;

interface Book {
  readonly breaker: Breaker;
  readonly window: RollingWindow;
  readonly retries: RetryBudget;
  readonly ttft: MovingAverage;
  readonly total: MovingAverage;
  readonly perToken: MovingAverage;
  readonly output: MovingAverage;
  readonly cached: MovingAverage;
  readonly peak: PeakAverage;
  inFlight: number;
  observedAt: number;
  ejectedUntil: number;
  ejections: number;
  /** When it came back; a target that never left is long back. */
  backSince: number;
  policy: HealthPolicy;
}

/** How each target fares. One entry per target that was ever asked about, each of a fixed size. */
export class HealthBook implements HealthView, HealthReport {
  readonly #clock: Clock;
  readonly #changed: (change: HealthChange) => void;
  readonly #books = new Map<string, Book>();

  constructor(clock: Clock, changed: (change: HealthChange) => void = () => {}) {
    this.#clock = clock;
    this.#changed = changed;
  }

  admits(target: string, policy: HealthPolicy | undefined): boolean {
    return this.#book(target, policy).breaker.admits(this.#clock.monotonic());
  }

  begin(target: string, policy: HealthPolicy | undefined): CallTicket {
    const book = this.#book(target, policy);
    const now = this.#clock.monotonic();
    const probe = this.#telling(target, book, "its time is up", () => book.breaker.begin(now));
    book.inFlight += 1;
    book.retries.called(now, book.policy.retryShare);
    return { target, probe };
  }

  answering(ticket: CallTicket): CallTicket {
    if (!ticket.probe) return ticket;
    const book = this.#book(ticket.target, undefined);
    this.#telling(ticket.target, book, "its probes came back well", () => book.breaker.succeeded(true));
    return { target: ticket.target, probe: false };
  }

  end({ target, probe }: CallTicket, outcome: CallOutcome, figures: CallFigures): void {
    const book = this.#book(target, undefined);
    const now = this.#clock.monotonic();
    book.inFlight -= 1;
    if (outcome === "neutral") return book.breaker.released(probe);
    const failed = outcome !== "ok";
    book.window.add(now, failed);
    if (!failed) {
      this.#observe(book, now, figures);
      this.#telling(target, book, "its probes came back well", () => book.breaker.succeeded(probe));
      return;
    }
    const { requests, failures } = book.window.totals(now);
    const tooMany = requests >= book.policy.minRequests && failures / requests >= book.policy.failureRate;
    const why = probe ? "a probe failed" : tooMany ? `${failures} of ${requests} calls failed` : "failures in a row";
    this.#telling(target, book, why, () => book.breaker.failed(now, probe, tooMany, book.policy));
  }

  mayRetry(target: string): boolean {
    return this.#book(target, undefined).retries.take(this.#clock.monotonic());
  }

  stateOf(target: string, policy?: HealthPolicy): TargetState {
    const book = this.#book(target, policy);
    const now = this.#clock.monotonic();
    const breaker = book.breaker.state(now);
    const ejected = now < book.ejectedUntil;
    const share = shareOf(book, now);
    return {
      target,
      breaker,
      ...(breaker === "open" ? { untilMs: book.breaker.openUntilMs } : ejected && { untilMs: book.ejectedUntil }),
      ejected,
      open: !ejected && book.breaker.admits(now),
      inFlight: book.inFlight,
      ...book.window.totals(now),
      consecutiveFailures: book.breaker.consecutiveFailures,
      ...known("ttftMs", book.ttft.value),
      ...known("totalMs", book.total.value),
      ...known("perTokenMs", book.perToken.value),
      ...known("outputTokens", book.output.value),
      ...known("cachedShare", book.cached.value),
      load: (Math.max(1, book.peak.at(now)) * (book.inFlight + 1)) / share,
      share,
      retriesLeft: book.retries.left(now),
    };
  }

  /** Every target that was called, for the console and metrics. */
  all(): TargetState[] {
    return [...this.#books.keys()].map((target) => this.stateOf(target));
  }

  compare(targets: readonly string[]): void {
    const now = this.#clock.monotonic();
    const peers = targets.map((target): Peer => {
      const book = this.#book(target, undefined);
      const latencyMs = book.ttft.value ?? book.total.value;
      return {
        target,
        ...book.window.totals(now),
        ...(latencyMs !== undefined && { latencyMs }),
        out: now < book.ejectedUntil || book.breaker.state(now) === "open",
      };
    });
    for (const { target, why } of outliersOf(peers)) {
      const book = this.#books.get(target)!;
      const forMs = Math.min(longestEjectionMs, ejectionMs * 2 ** book.ejections);
      book.ejections = Math.min(book.ejections + 1, 16);
      book.ejectedUntil = now + forMs;
      book.backSince = book.ejectedUntil;
      // It is judged anew by what it does afterwards.
      book.window.clear();
      this.#changed({ target, from: "in-pool", to: "ejected", reason: why });
    }
  }

  #observe(book: Book, now: number, figures: CallFigures): void {
    const { ttftMs, totalMs, perTokenMs, inputTokens, cachedTokens, outputTokens } = figures;
    const left = weightLeft(now - book.observedAt);
    book.observedAt = now;
    if (ttftMs !== undefined) book.ttft.add(ttftMs, left);
    if (totalMs !== undefined) book.total.add(totalMs, left);
    const waited = ttftMs ?? totalMs;
    if (waited !== undefined) book.peak.add(waited, now);
    if (perTokenMs !== undefined) book.perToken.add(perTokenMs, left);
    if (outputTokens !== undefined) book.output.add(outputTokens, left);
    const read = (inputTokens ?? 0) + (cachedTokens ?? 0);
    if (read > 0) book.cached.add((cachedTokens ?? 0) / read, left);
    // Ten good minutes forget earlier ejections.
    if (book.ejections > 0 && now - book.backSince > 600_000) book.ejections = 0;
  }

  /** Does it, and tells if the breaker changed with it. */
  #telling<T>(target: string, book: Book, reason: string, act: () => T): T {
    const from = book.breaker.entered;
    const done = act();
    const to = book.breaker.entered;
    if (from === to) return done;
    if (to === "closed") {
      book.backSince = this.#clock.monotonic();
      book.window.clear();
    }
    this.#changed({ target, from, to, reason });
    return done;
  }

  #book(target: string, policy: HealthPolicy | undefined): Book {
    let book = this.#books.get(target);
    if (!book) {
      book = {
        breaker: new Breaker(),
        window: new RollingWindow(),
        retries: new RetryBudget(),
        ttft: new MovingAverage(),
        total: new MovingAverage(),
        perToken: new MovingAverage(),
        output: new MovingAverage(),
        cached: new MovingAverage(),
        peak: new PeakAverage(),
        inFlight: 0,
        observedAt: 0,
        ejectedUntil: 0,
        ejections: 0,
        backSince: Number.NEGATIVE_INFINITY,
        policy: policy ?? defaultHealth,
      };
      this.#books.set(target, book);
    }
    if (policy) book.policy = policy;
    return book;
  }
}

function shareOf(book: Book, now: number): number {
  const { slowStartMs } = book.policy;
  if (slowStartMs === 0) return 1;
  return Math.min(1, Math.max(firstShare, (now - book.backSince) / slowStartMs));
}

const known = <Key extends string>(key: Key, value: number | undefined) =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<Key, number>>;
