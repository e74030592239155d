import type { Clock } from "../../kernel/clock.ts";
import type { AttemptMeta, CascadeFigures } from "../../kernel/decision.ts";
import type { CascadeQuestion, CascadeReport, CascadeView } from "./port.ts";

/** Judgements of old count less and less: about the last hundred make the estimate. */
const keep = 0.99;
const leastJudged = 20;
/** A cost's weight in the average, once there are some. */
const costWeight = 0.05;

interface Book {
  rung: number;
  model: string;
  judged: number;
  /** Decayed counts of a Beta posterior over a uniform prior. */
  accepted: number;
  refused: number;
  costs: number;
  cost: number;
  last?: CascadeFigures;
}

/**
 * What it is worth to try a light rung first, by use case and rung: cost c1 for the light answer and c2 for the next one,
 * so that it pays while c1 + (1 − p)·c2 < c2, that is p > c1/c2. Off once the posterior says with 95 % that it doesn't.
 */
export class CascadeBook implements CascadeReport, CascadeView {
  readonly #clock: Clock;
  readonly #books = new Map<string, Map<string, Book>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  judged(useCase: string, rung: number, model: string, accepted: boolean): void {
    const book = this.#book(useCase, rung, model);
    book.judged += 1;
    book.accepted = book.accepted * keep + (accepted ? 1 : 0);
    book.refused = book.refused * keep + (accepted ? 0 : 1);
  }

  attempted(useCase: string, { rung, model, status, cost_nano_usd }: AttemptMeta): void {
    if (status !== "ok") return;
    const book = this.#book(useCase, rung, model);
    book.costs += 1;
    book.cost += (cost_nano_usd - book.cost) * Math.max(costWeight, 1 / book.costs);
  }

  consider({ useCase, light, next, explore }: CascadeQuestion): CascadeFigures {
    const book = this.#book(useCase, light.rung, light.model);
    const c1 = book.costs > 0 ? book.cost : light.cost;
    const known = this.#books.get(useCase)?.get(`${next.rung}/${next.model}`);
    const c2 = known && known.costs > 0 ? known.cost : next.cost;
    const [a, b] = [1 + book.accepted, 1 + book.refused];
    const mean = a / (a + b);
    const deviation = Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1)));
    const atMost = Math.min(1, mean + 1.645 * deviation);
    const breakEven = c2 > 0 ? c1 / c2 : undefined;
    const pays = breakEven === undefined || book.judged < leastJudged || atMost > breakEven;
    const figures: CascadeFigures = {
      state: pays ? "on" : this.#clock.random() < explore ? "exploring" : "off",
      judged: book.judged,
      accepted: rounded(mean),
      accepted_at_most: rounded(atMost),
      c1_nano_usd: Math.round(c1),
      c2_nano_usd: Math.round(c2),
      ...(breakEven !== undefined && { break_even: rounded(breakEven) }),
    };
    book.last = figures;
    return figures;
  }

  /** The figures as they were last considered, for the console. */
  cascadeOf(useCase: string): ({ rung: number; model: string } & CascadeFigures)[] {
    return [...(this.#books.get(useCase)?.values() ?? [])].flatMap(({ rung, model, last }) =>
      last ? [{ rung, model, ...last }] : [],
    );
  }

  #book(useCase: string, rung: number, model: string): Book {
    let books = this.#books.get(useCase);
    if (!books) this.#books.set(useCase, (books = new Map()));
    const key = `${rung}/${model}`;
    let book = books.get(key);
    if (!book) books.set(key, (book = { rung, model, judged: 0, accepted: 0, refused: 0, costs: 0, cost: 0 }));
    return book;
  }
}

const rounded = (share: number): number => Math.round(share * 1000) / 1000;
