/** What the rules ask of a use case's decisions, counted as they settle. */
import type { AttemptMeta, SettledMeta } from "../../kernel/decision.ts";
import { errorKinds } from "../../kernel/errors.ts";
import type { Objective } from "../port.ts";
import { SlidingCounts } from "./sliding-counts.ts";

export const faults = ["caller", "policy", "upstream", "weir"] as const;
export type Fault = (typeof faults)[number];

const columns = [
  "all",
  /** What an objective is about: everything but what callers or policy ended. */
  "eligible",
  "unavailable",
  "timed",
  "slow",
  "streamed",
  "slow_start",
  ...faults,
  /** A further rung ended it because the first one could not be asked or failed. */
  "fallback",
  /** A further rung ended it because the first one's answer was not accepted. */
  "climb",
  "cache_looks",
  "cache_hits",
] as const;

export type DecisionCounts = SlidingCounts<(typeof columns)[number]>;

export class DecisionWindows {
  readonly #useCases = new Map<string, DecisionCounts>();
  readonly #objectiveOf: (useCase: string) => Objective;

  constructor(objectiveOf: (useCase: string) => Objective) {
    this.#objectiveOf = objectiveOf;
  }

  add(now: number, meta: SettledMeta, attempts: readonly AttemptMeta[]): void {
    const counts = this.#of(meta.use_case);
    counts.add(now, "all");
    const fault = faultOf(meta);
    if (fault) counts.add(now, fault);
    if (fault !== "caller" && fault !== "policy") {
      counts.add(now, "eligible");
      if (fault) counts.add(now, "unavailable");
      else this.#time(now, counts, meta);
    }
    if (meta.rung !== undefined && meta.rung > 0) counts.add(now, hasClimbed(attempts) ? "climb" : "fallback");
    const { status } = meta.cache;
    if (status === "off" || status === "bypass") return;
    counts.add(now, "cache_looks");
    if (status !== "miss") counts.add(now, "cache_hits");
  }

  all(): Iterable<[useCase: string, counts: DecisionCounts]> {
    return this.#useCases;
  }

  #time(now: number, counts: DecisionCounts, meta: SettledMeta): void {
    const { latency, ttft } = this.#objectiveOf(meta.use_case);
    // How long a stream takes is up to its reader and its length; its start is what the other objective asks.
    if (latency && !meta.stream) {
      counts.add(now, "timed");
      if (meta.duration_ms > latency.underMs) counts.add(now, "slow");
    }
    if (ttft && meta.ttft_ms !== undefined) {
      counts.add(now, "streamed");
      if (meta.ttft_ms > ttft.underMs) counts.add(now, "slow_start");
    }
  }

  #of(useCase: string): DecisionCounts {
    let counts = this.#useCases.get(useCase);
    if (!counts) this.#useCases.set(useCase, (counts = new SlidingCounts(columns)));
    return counts;
  }
}

/** Whose doing it was that a decision got no answer; undefined where it got one. */
export function faultOf({ state, code }: SettledMeta): Fault | undefined {
  if (state === "answered" || state === "referred") return undefined;
  if (code === "client_gone") return "caller";
  return code === undefined ? "weir" : errorKinds[code].fault;
}

/** The first rung did answer. */
const hasClimbed = (attempts: readonly AttemptMeta[]): boolean =>
  attempts.some(({ rung, status }) => rung === 0 && status === "ok");
