/**
 * What one scope has spent and holds, by day and for the current hour: enough for every window at once, so that a
 * budget whose amount or window changes with a new snapshot finds what was spent before.
 */
import type { BudgetWindow } from "../../kernel/snapshot.ts";
import { dayMs, hourMs, windowEndMs, windowStartMs } from "./budget-window.ts";

interface Sums {
  spent: number;
  held: number;
}

/** The windows that are current; times in them never go back, so a clock that is set back opens no window again. */
export class Calendar {
  nowMs = 0;
  hour = -1;
  day = 0;
  week = 0;
  month = 0;

  /** Called with every look at the clock. */
  turn(nowMs: number): void {
    if (nowMs <= this.nowMs) return;
    this.nowMs = nowMs;
    const hour = Math.floor(nowMs / hourMs);
    if (hour === this.hour) return;
    this.hour = hour;
    this.day = Math.floor(nowMs / dayMs);
    this.week = windowStartMs("week", nowMs) / dayMs;
    this.month = windowStartMs("month", nowMs) / dayMs;
  }

  /** Whether what was held in that hour belongs to the current window. */
  includes(per: BudgetWindow, hour: number): boolean {
    if (per === "hour") return hour >= this.hour;
    return Math.floor(hour / 24) >= this[per];
  }

  endMs(per: BudgetWindow): number {
    return windowEndMs(per, this.nowMs);
  }
}

const longerWindows = ["day", "week", "month"] as const;

export class Account {
  readonly name: string;
  /** Forgotten: whoever kept a reference looks it up again. */
  gone = false;
  readonly #calendar: Calendar;
  /** By day since the epoch; none that lies before every current window. */
  readonly #days = new Map<number, Sums>();
  #today: Sums | undefined;
  /** The hour that `#sums` are of. */
  #hour = -1;
  readonly #sums: Record<BudgetWindow, Sums> = {
    hour: { spent: 0, held: 0 },
    day: { spent: 0, held: 0 },
    week: { spent: 0, held: 0 },
    month: { spent: 0, held: 0 },
  };
  /** Steps that were told, with the start of the window that they were told of. */
  readonly #told = new Map<string, number>();

  constructor(name: string, calendar: Calendar) {
    this.name = name;
    this.#calendar = calendar;
  }

  /** What is spent and held in the current window. */
  in(per: BudgetWindow): Readonly<Sums> {
    this.#turn();
    return this.#sums[per];
  }

  /** Books into the window in which the money was held, whichever is current now. */
  add(hour: number, spent: number, held: number): void {
    this.#turn();
    if (hour === this.#calendar.hour && this.#today) {
      // Nearly always: what is current belongs to every window.
      const { hour: ofHour, day, week, month } = this.#sums;
      increase(this.#today, spent, held);
      increase(ofHour, spent, held);
      increase(day, spent, held);
      increase(week, spent, held);
      increase(month, spent, held);
      return;
    }
    const day = Math.floor(hour / 24);
    const ofDay = this.#days.get(day);
    if (ofDay) increase(ofDay, spent, held);
    else this.#days.set(day, { spent, held });
    this.#today = this.#days.get(this.#calendar.day);
    if (this.#calendar.includes("hour", hour)) increase(this.#sums.hour, spent, held);
    if (this.#calendar.includes("day", hour)) increase(this.#sums.day, spent, held);
    if (this.#calendar.includes("week", hour)) increase(this.#sums.week, spent, held);
    if (this.#calendar.includes("month", hour)) increase(this.#sums.month, spent, held);
  }

  /** True the first time in each window. */
  tell(step: string, windowStart: number): boolean {
    if (this.#told.get(step) === windowStart) return false;
    this.#told.set(step, windowStart);
    return true;
  }

  get empty(): boolean {
    this.#turn();
    return this.#days.size === 0;
  }

  #turn(): void {
    const { hour } = this.#calendar;
    if (hour === this.#hour) return;
    this.#hour = hour;
    // The hour's sums live only while it is current; a hold of an earlier one is settled into its day.
    for (const sums of Object.values(this.#sums)) sums.spent = sums.held = 0;
    for (const [day, { spent, held }] of this.#days) {
      for (const per of longerWindows)
        if (this.#calendar.includes(per, day * 24)) increase(this.#sums[per], spent, held);
      const past = !longerWindows.some((per) => this.#calendar.includes(per, day * 24));
      if (past) this.#days.delete(day);
    }
    this.#today = this.#days.get(this.#calendar.day);
  }
}

function increase(sums: Sums, spent: number, held: number): void {
  sums.spent += spent;
  sums.held += held;
}
