/**
 * How many calls at once a target serves without making them wait: Netflix's Gradient2 (concurrency-limits) on samples
 * from which the length of the request has been taken out. Its long-term average is replaced by a baseline that is
 * measured where our own concurrency can't be the reason: with few calls running, or, under unbroken contention, by
 * stepping back for a moment now and then (as Envoy's adaptive concurrency does). Medians of a window as large as half of
 * what runs: first tokens have long tails, and an average of few would take them for congestion.
 */
export interface LimitBounds {
  min: number;
  initial: number;
  max: number;
}

/** First token (or whole answer), and time per token. A target is congested when either is. */
export type Signal = "first" | "decode";

/** How much slower than the baseline is still not congested. */
const tolerance = 1.5;
/** A gradient below 1 moves the limit by this share; growth is small by itself. */
const smoothing = 0.4;
const windowMs = 500;
const fewestSamples = 20;
/** After so many windows' time fewer samples have to do: new ones may never come. */
const longWindows = 4;
const dropFactor = 0.9;
/** First tokens that take this many times the baseline come from a queue of the target's own. */
const heavily = 3;
const slowStartFactor = 1.5;
const probe = { factor: 0.75, leastMs: 2000, latencies: 1.5, everyMs: 60_000, everyLatencies: 40, firstMs: 5000 };

/** A quarter less would make a target that queues a good deal quicker. */
const noEffect = 0.85;
/** A probe raises the baseline by no more: while a queue still grows, less seems to have no effect. */
const mostRise = 1.2;
const fall = 0.9;

interface Track {
  baseline: number;
  /** Median of the last window. */
  usual: number;
  samples: number[];
}

export class AdaptiveLimit {
  readonly #bounds: LimitBounds;
  readonly #tracks: Record<Signal, Track> = {
    first: { baseline: 0, usual: 0, samples: [] },
    decode: { baseline: 0, usual: 0, samples: [] },
  };
  #limit: number;
  /** Half as many again with each window, until the first sign of congestion. */
  #starting = true;
  #windowAt = 0;
  #restMs = 0;
  #mostRunning = 0;
  #droppedAt = -Infinity;
  /** When the next probe is due; undefined while nothing is contended. */
  #probeAt: number | undefined;
  /** The probe under way: its samples count from the middle on, when what ran before has mostly gone. */
  #probing: { from: number; until: number } | undefined;
  #probed = false;

  constructor(bounds: LimitBounds) {
    this.#bounds = bounds;
    this.#limit = bounds.initial;
  }

  /** Calls that may run at once. */
  at(now: number): number {
    // Long streams hold all places and begin nothing new: what they said at their start is all that there will be.
    if (!this.#probing) this.#turnWindow(now);
    const stepsBack = this.#probing && now < this.#probing.until;
    return Math.floor(stepsBack ? Math.max(this.#bounds.min, this.#limit * probe.factor) : this.#limit);
  }

  /** Told with every start: the limit grows only while it is used. */
  started(running: number): void {
    if (running > this.#mostRunning) this.#mostRunning = running;
  }

  /**
   * A latency without the part that the request's length explains; `restMs` is what usually comes on top of it in a whole
   * call. What began before the window says nothing of the limit that it opened with.
   */
  sample(signal: Signal, ms: number, startedAt: number, restMs: number, now: number): void {
    if (startedAt < this.#windowAt) return;
    if (this.#probing) return this.#sampleProbe(this.#probing, signal, ms, now);
    this.#tracks[signal].samples.push(Math.max(0, ms));
    this.#restMs = restMs;
    this.#turnWindow(now);
  }

  #turnWindow(now: number): void {
    const age = now - this.#windowAt;
    if (age < windowMs) return;
    const enough = age < longWindows * windowMs ? Math.max(fewestSamples, this.#limit / 2) : fewestSamples / 2;
    if (this.#tracks.first.samples.length < enough) return;
    this.#closeWindow(this.#restMs);
    this.#probeWhenDue(this.#restMs + this.#tracks.first.usual, now);
    this.#openWindow(now);
  }

  /** The target said that it has too much to do, or did not answer. Counts once in a window. */
  dropped(now: number): void {
    if (now - this.#droppedAt < windowMs) return;
    this.#droppedAt = now;
    this.#starting = false;
    this.#set(this.#limit * dropFactor);
  }

  get #contended(): boolean {
    return this.#mostRunning >= this.#limit / 2;
  }

  #openWindow(now: number): void {
    for (const track of Object.values(this.#tracks)) track.samples = [];
    this.#windowAt = now;
    this.#mostRunning = 0;
  }

  #closeWindow(restMs: number): void {
    // A target that answers in no time would look congested by its noise alone.
    const noiseMs = 0.05 * restMs + 1;
    const gradient = Math.min(this.#gradient("first", noiseMs), this.#gradient("decode", 0));
    const { baseline, usual } = this.#tracks.first;
    // With half of the places free our own calls are not the reason, whatever the target suffers from.
    if (!this.#contended) return;
    if (usual > heavily * (baseline + noiseMs)) {
      // Little's law: as many as the target would hold if nobody waited there.
      this.#starting = false;
      this.#set(this.#limit * Math.max(0.25, (tolerance * baseline + restMs) / (usual + restMs)));
    } else if (gradient < 1) {
      this.#starting = false;
      this.#set(this.#limit * (1 - smoothing * (1 - gradient)));
    } else if (this.#windowAt > this.#droppedAt) {
      const headroom = Math.max(1, Math.sqrt(this.#limit)) / 4;
      this.#set(this.#starting ? this.#limit * slowStartFactor : this.#limit + headroom);
    }
  }

  #set(limit: number): void {
    this.#limit = Math.min(this.#bounds.max, Math.max(this.#bounds.min, limit));
  }

  /** Between 0.5 and 1: how much of the limit the target can bear. */
  #gradient(signal: Signal, noiseMs: number): number {
    const track = this.#tracks[signal];
    if (track.samples.length === 0) return 1;
    const usual = quantile(track.samples, 0.5);
    track.usual = usual;
    if (track.baseline === 0) track.baseline = quantile(track.samples, 0.25);
    else track.baseline += (usual - track.baseline) * this.#pull(usual, track.baseline);
    return Math.min(1, Math.max(0.5, (tolerance * (track.baseline + noiseMs)) / (usual + noiseMs || 1)));
  }

  /** How far a window moves the baseline towards itself. */
  #pull(usual: number, baseline: number): number {
    if (usual < baseline / 2) return 1 / 4;
    if (!this.#contended) return 1 / 20;
    // As few as may be, and still slow: so the target has become slower, and more calls do no harm.
    return this.#limit <= this.#bounds.min && usual > baseline ? 1 / 10 : 0;
  }

  #probeWhenDue(latencyMs: number, now: number): void {
    if (!this.#contended || this.#starting) {
      this.#probeAt = undefined;
      return;
    }
    const every = Math.max(probe.everyMs, probe.everyLatencies * latencyMs);
    this.#probeAt ??= now + (this.#probed ? every : probe.firstMs);
    if (now < this.#probeAt) return;
    const takes = Math.max(probe.leastMs, probe.latencies * latencyMs);
    this.#probing = { from: now + takes / 2, until: now + takes };
    this.#probeAt = now + every;
    this.#probed = true;
  }

  #sampleProbe({ from, until }: { from: number; until: number }, signal: Signal, ms: number, now: number): void {
    if (now < from) return;
    if (now < until) {
      this.#tracks[signal].samples.push(Math.max(0, ms));
      return;
    }
    for (const track of Object.values(this.#tracks)) if (track.samples.length > 0) learn(track);
    this.#probing = undefined;
    this.#openWindow(now);
  }
}

/** What a probe says. Where less made the target quicker, calls wait there, and the baseline is lower than it seems. */
function learn(track: Track): void {
  const usual = quantile(track.samples, 0.5);
  track.baseline =
    usual < track.usual * noEffect
      ? Math.min(track.baseline, usual) * fall
      : Math.min(track.baseline * mostRise, (track.baseline + usual) / 2);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)]!;
}
