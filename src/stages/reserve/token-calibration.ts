/**
 * How a model's own count compares with the estimate: a moving average of (reported ÷ estimated) input tokens, and how
 * far it strays. For admission and for what fits a model's context; never for money where usage was reported.
 */
interface Known {
  ratio: number;
  /** Moving average of the squared distance from the ratio. */
  variance: number;
  samples: number;
}

const newest = 1 / 32;
/** A single report moves a settled average by no more than this factor: no caller can bend it with one odd prompt. */
const mostSurprise = 2;
const ratios = { least: 0.1, most: 4 };
const enoughSamples = 8;
const bands = { least: 0.05, most: 1 };
const mostModels = 1000;

export class TokenCalibration {
  readonly #models = new Map<string, Known>();

  /** What the vendor reported as all input tokens of a request for which `estimate` was made. */
  observe(model: string, estimate: number, reported: number): void {
    const measured = reported / estimate;
    if (!(measured > 0) || !Number.isFinite(measured)) return;
    const sample = clamp(measured, ratios.least, ratios.most);
    const known = this.#models.get(model);
    if (!known) {
      if (this.#models.size >= mostModels) this.#models.delete(this.#models.keys().next().value!);
      this.#models.set(model, { ratio: sample, variance: 0, samples: 1 });
      return;
    }
    known.samples += 1;
    const settled = known.samples > enoughSamples;
    const bounded = settled ? clamp(sample, known.ratio / mostSurprise, known.ratio * mostSurprise) : sample;
    const share = Math.max(newest, 1 / known.samples);
    const distance = bounded - known.ratio;
    known.ratio += distance * share;
    known.variance = (1 - share) * (known.variance + share * distance * distance);
  }

  /** Tokens that the model will most likely count; the estimate itself until enough was seen. */
  expected(model: string, estimate: number): number {
    return Math.ceil(estimate * this.of(model).ratio);
  }

  /** Tokens to admit with: expected, and two standard deviations or 5 % more. */
  admitted(model: string, estimate: number): number {
    const { ratio, band } = this.of(model);
    return Math.ceil(estimate * ratio * (1 + band));
  }

  /** `band` is relative to the ratio; both are those of an exact estimate until enough was seen. */
  of(model: string): { ratio: number; band: number; samples: number } {
    const known = this.#models.get(model);
    if (!known || known.samples < enoughSamples) return { ratio: 1, band: 0, samples: known?.samples ?? 0 };
    const { ratio, variance, samples } = known;
    return { ratio, band: clamp((2 * Math.sqrt(variance)) / ratio, bands.least, bands.most), samples };
  }
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));
