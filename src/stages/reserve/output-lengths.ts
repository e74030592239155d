/**
 * How long a use case's answers are: clients ask for far more tokens than they get, and a limit that reserved all of them
 * would stand idle. What an answer takes beyond is owed: the bucket goes below nothing and refills.
 */
interface Known {
  samples: number;
  mean: number;
  /** The 95th percentile, moved by a step with each answer (Robbins and Monro). */
  high: number;
}

const share = 0.95;
const newest = 1 / 32;
const enoughSamples = 30;
/** Where a client names no bound and nothing is known. */
const usualTokens = 1024;

export class OutputLengths {
  readonly #useCases = new Map<string, Known>();

  observe(useCase: string, tokens: number): void {
    const known = this.#useCases.get(useCase);
    if (!known) {
      this.#useCases.set(useCase, { samples: 1, mean: tokens, high: tokens });
      return;
    }
    known.samples += 1;
    known.mean += (tokens - known.mean) * Math.max(newest, 1 / known.samples);
    const step = Math.max(1, known.mean * 0.2);
    known.high = Math.max(0, known.high + step * (tokens > known.high ? share : share - 1));
  }

  /** Tokens to reserve for one answer: what was asked for, or less where nearly all answers are shorter. */
  reserved(useCase: string, asked: number | undefined): number {
    const known = this.#useCases.get(useCase);
    if (!known || known.samples < enoughSamples) return asked ?? usualTokens;
    return Math.min(asked ?? Infinity, Math.ceil(Math.max(known.mean, known.high)));
  }
}
