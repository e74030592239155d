/** What one target's latencies depend on: input tokens before the first token, output tokens after it. */
import { LinearFit } from "./linear-fit.ts";

// Features of about one keep the fit well conditioned.
const inUnit = 1000;
const outUnit = 100;
const newest = 1 / 32;

export class LatencyModel {
  readonly #first = new LinearFit(1);
  readonly #whole = new LinearFit(2);
  #perTokenMs: number | undefined;
  #latencyMs = 0;
  #deviationMs = 0;
  #partMs = 0;
  #decodeMs = 0;

  /** Time to the first token; the part that doesn't grow with the input. */
  first(inTokens: number, ms: number): number {
    const features = [inTokens / inUnit];
    if (this.#first.samples > 0) this.#strayed(Math.abs(ms - this.#first.predict(features)));
    this.#first.update(features, ms);
    const part = this.#first.partOf(features);
    this.#partMs = averaged(this.#partMs || undefined, part);
    return ms - part;
  }

  /** Time per token after the first. */
  decode(outTokens: number, ms: number): number {
    const each = ms / outTokens;
    this.#decodeMs = averaged(this.#decodeMs || undefined, ms);
    this.#perTokenMs = averaged(this.#perTokenMs, each);
    return each;
  }

  /** Time of an answer that came whole; the part that doesn't grow with its length or the input's. */
  whole(inTokens: number, outTokens: number, ms: number): number {
    const features = [inTokens / inUnit, outTokens / outUnit];
    if (this.#whole.samples > 0) this.#strayed(Math.abs(ms - this.#whole.predict(features)));
    this.#whole.update(features, ms);
    const part = this.#whole.partOf(features);
    this.#partMs = averaged(this.#partMs || undefined, part);
    return ms - part;
  }

  /** How much longer than predicted it may well take: twice the mean deviation. */
  get marginMs(): number {
    return 2 * this.#deviationMs;
  }

  #strayed(ms: number): void {
    this.#deviationMs = averaged(this.#deviationMs || undefined, ms);
  }

  took(ms: number): void {
    this.#latencyMs = averaged(this.#latencyMs || undefined, ms);
  }

  /** What usually comes on top of the part that `first` and `whole` leave: the tokens read and written. */
  get restMs(): number {
    return this.#partMs + this.#decodeMs;
  }

  /** Moving average of whole calls; 0 until one has ended. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** Until the first token, as far as known. */
  firstMs(inTokens: number): number {
    return this.#first.samples > 0 ? this.#first.predict([inTokens / inUnit]) : 0;
  }

  /** A whole call, as far as known. */
  serviceMs(inTokens: number, outTokens: number): number {
    if (this.#first.samples > 0) return this.firstMs(inTokens) + (this.#perTokenMs ?? 0) * outTokens;
    return this.#whole.samples > 0 ? this.#whole.predict([inTokens / inUnit, outTokens / outUnit]) : this.#latencyMs;
  }
}

const averaged = (before: number | undefined, now: number): number =>
  before === undefined ? now : before + (now - before) * newest;
