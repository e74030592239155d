import type { HealthPolicy } from "../../../kernel/snapshot.ts";
import type { BreakerState } from "./port.ts";

// As many calls may find out whether the target is back, and all of them must come back well.
const probes = 2;
const longestOpenMs = 60_000;

/**
 * closed → open on failures in a row or on the failure rate; open → half-open when its time is up; half-open → closed
 * when its probes came back well, → open again, for twice as long, when one didn't. Instants are monotonic.
 */
export class Breaker {
  #state: BreakerState = "closed";
  #consecutive = 0;
  /** Openings since it was last closed by its probes. */
  #openings = 0;
  #openUntil = 0;
  #probing = 0;
  #passed = 0;

  state(nowMs: number): BreakerState {
    return this.#state === "open" && nowMs >= this.#openUntil ? "half-open" : this.#state;
  }

  /** The state that the last call left it in: an open breaker whose time is up is half-open only once a probe begins. */
  get entered(): BreakerState {
    return this.#state;
  }

  get consecutiveFailures(): number {
    return this.#consecutive;
  }

  get openUntilMs(): number {
    return this.#openUntil;
  }

  /** Whether a call would be let through now. */
  admits(nowMs: number): boolean {
    const state = this.state(nowMs);
    return state === "closed" || (state === "half-open" && this.#probing + this.#passed < probes);
  }

  /** A call begins; true where it is a probe, which its end has to say. */
  begin(nowMs: number): boolean {
    if (this.state(nowMs) !== "half-open") return false;
    if (this.#state === "open") {
      this.#state = "half-open";
      this.#probing = 0;
      this.#passed = 0;
    }
    this.#probing += 1;
    return true;
  }

  succeeded(probe: boolean): void {
    this.#consecutive = 0;
    if (!this.#returned(probe)) return;
    this.#passed += 1;
    if (this.#passed < probes) return;
    this.#state = "closed";
    this.#openings = 0;
  }

  /** `tooMany`: the rolling failure rate is over its bound. */
  failed(nowMs: number, probe: boolean, tooMany: boolean, policy: HealthPolicy): void {
    this.#consecutive += 1;
    const probing = this.#returned(probe);
    // A call that began before it opened says nothing new.
    if (!probing && this.#state !== "closed") return;
    if (probing || tooMany || this.#consecutive >= policy.consecutiveFailures) this.#open(nowMs, policy);
  }

  /** The call's end says nothing: its place among the probes is free again. */
  released(probe: boolean): void {
    this.#returned(probe);
  }

  #returned(probe: boolean): boolean {
    if (!probe || this.#state !== "half-open") return false;
    this.#probing -= 1;
    return true;
  }

  #open(nowMs: number, policy: HealthPolicy): void {
    this.#state = "open";
    this.#openUntil = nowMs + Math.min(longestOpenMs, policy.openMs * 2 ** this.#openings);
    this.#openings = Math.min(this.#openings + 1, 16);
    this.#consecutive = 0;
  }
}
