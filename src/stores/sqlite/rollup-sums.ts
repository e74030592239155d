/** A batch's share of the rollups, so that each of their rows is written once per batch. */
import { type HourDelta, type MinuteDelta, spendNames } from "../../projection/index.ts";
import { columnsOf } from "./projection-statements.ts";

type MinuteSum = Omit<MinuteDelta, "bucket"> & { buckets: Map<number, number> };

const minuteNames = columnsOf.minutes.slice(3) as Exclude<
  (typeof columnsOf.minutes)[number],
  "minute_ms" | "use_case" | "kind"
>[];

export class RollupSums {
  readonly #minutes = new Map<string, MinuteSum>();
  readonly #hours = new Map<string, HourDelta>();

  addMinute(delta: MinuteDelta, sign: 1 | -1): void {
    const { bucket } = delta;
    const key = `${delta.minute_ms}/${delta.kind}/${delta.use_case}`;
    let sum = this.#minutes.get(key);
    if (!sum) {
      sum = { ...delta, buckets: new Map() };
      for (const name of minuteNames) sum[name] = 0;
      this.#minutes.set(key, sum);
    }
    for (const name of minuteNames) sum[name] += sign * delta[name];
    sum.buckets.set(bucket, (sum.buckets.get(bucket) ?? 0) + sign);
  }

  addHour(delta: HourDelta, sign: 1 | -1): void {
    const key = JSON.stringify([delta.hour_ms, delta.tenant, delta.use_case, delta.model]);
    let sum = this.#hours.get(key);
    if (!sum) {
      sum = { ...delta };
      for (const name of spendNames) sum[name] = 0;
      this.#hours.set(key, sum);
    }
    for (const name of spendNames) sum[name] += sign * delta[name];
  }

  minutes(): Iterable<MinuteSum> {
    return this.#minutes.values();
  }
  hours(): Iterable<HourDelta> {
    return this.#hours.values();
  }
}
