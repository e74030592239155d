import type { Clock } from "../../kernel/clock.ts";
import type { AdminMeta } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { OverrideStore, OverrideView, RouteOverride } from "./port.ts";

/** The simple twin of the store. */
export class MemoryOverrides implements OverrideStore {
  readonly #all = new Map<string, RouteOverride>();
  #version = 0;

  overrides(): RouteOverride[] {
    return [...this.#all.values()];
  }
  insert(override: RouteOverride): void {
    for (const { id, until_ms } of this.#all.values()) if (until_ms <= override.from_ms) this.#all.delete(id);
    this.#all.set(override.id, override);
    this.#version += 1;
  }
  remove(id: string): boolean {
    this.#version += 1;
    return this.#all.delete(id);
  }
  version(): number {
    return this.#version;
  }
}

/** The overrides in force, in memory; what another process changes is seen within `everyMs`. */
export class OverrideBook implements OverrideView {
  readonly #store: OverrideStore;
  readonly #clock: Clock;
  #all: readonly RouteOverride[] = [];
  #version: number | undefined;
  #stop: (() => void) | undefined;

  constructor(store: OverrideStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.refresh();
  }

  refresh(): void {
    const version = this.#store.version();
    if (version === this.#version) return;
    this.#all = this.#store.overrides();
    this.#version = version;
  }

  watch(report: (fault: unknown) => void, everyMs = 500): void {
    const tick = () => {
      try {
        this.refresh();
      } catch (fault) {
        report(fault);
      }
      this.#stop = this.#clock.after(everyMs, tick);
    };
    tick();
  }

  stop(): void {
    this.#stop?.();
  }

  /** Whether an operator has closed it, for decisions that were routed before. */
  excludes(useCase: string, place: Place): boolean {
    return this.of(useCase).some((override) => override.act === "exclude" && means(override, place));
  }

  of(useCase: string): readonly RouteOverride[] {
    if (this.#all.length === 0) return none;
    const now = this.#clock.now();
    return this.#all.filter(
      (each) =>
        each.from_ms <= now && now < each.until_ms && (each.use_case === undefined || each.use_case === useCase),
    );
  }
}

/** A model's place in a ladder. */
interface Place {
  /** From 0. */
  rung: number;
  model: string;
  vendor: string | undefined;
}

export function means({ on }: RouteOverride, { rung, model, vendor }: Place): boolean {
  if ("model" in on) return model === on.model;
  return "vendor" in on ? vendor === on.vendor : rung === on.rung - 1;
}

const none: readonly RouteOverride[] = [];

const longestMs = 30 * 24 * 3600_000;

export interface PendingOverride<T> {
  act: Omit<AdminMeta, "operator">;
  commit(): T;
}

/** Making and clearing overrides: each comes as a pending act, which its caller journals and then commits. */
export class OverrideAdmin {
  readonly #store: OverrideStore;
  readonly #clock: Clock;

  constructor(store: OverrideStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Those that have not run out. */
  list(): RouteOverride[] {
    const now = this.#clock.now();
    return this.#store.overrides().filter(({ until_ms }) => until_ms > now);
  }

  override(
    wanted: Omit<RouteOverride, "id" | "from_ms" | "until_ms"> & { forMs: number },
  ): PendingOverride<RouteOverride> | Refusal {
    const { forMs, ...rest } = wanted;
    if (!(forMs > 0 && forMs <= longestMs))
      return refuse("invalid_request", "An override holds for more than nothing and at most 30 days.", {
        param: "for",
      });
    if (rest.reason.trim() === "")
      return refuse("invalid_request", "An override needs a reason; it is recorded.", { param: "reason" });
    const now = this.#clock.now();
    const id = `ovr_${Buffer.from(this.#clock.randomBytes(8)).toString("hex")}`;
    const made: RouteOverride = { id, ...rest, from_ms: now, until_ms: now + forMs };
    const { operator: _operator, id: _id, ...detail } = made;
    return {
      act: { act: "route.override", on: `override:${id}`, detail },
      commit: () => {
        this.#store.insert(made);
        return made;
      },
    };
  }

  clear(id: string, reason: string): PendingOverride<void> | Refusal {
    const known = this.#store.overrides().find((each) => each.id === id);
    if (!known) return refuse("not_found", "There is no override with this id.", { param: "id" });
    return {
      act: { act: "route.clear", on: `override:${id}`, detail: { reason } },
      commit: () => void this.#store.remove(id),
    };
  }
}
