/** Which alerts fire, since when, and what has to be told of them. */
import { hash } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import { randomToken } from "../../kernel/ids.ts";
import type { Severity, Silence } from "../port.ts";

/** Something that is wrong now. Labels tell it from others of the same rule; a changed summary is the same alert. */
export interface Firing {
  rule: string;
  severity: Severity;
  labels: Readonly<Record<string, string>>;
  summary: string;
  value?: number;
  threshold?: number;
}

export interface AlertView extends Firing {
  fingerprint: string;
  state: "firing" | "resolved";
  silenced: boolean;
  sinceMs: number;
  /** When it was last seen to be so. */
  seenMs: number;
  resolvedMs?: number;
}

export interface AlertEvent {
  /** Stable over all tries to deliver it. */
  id: string;
  type: "firing" | "reminder" | "resolved";
  alert: AlertView;
}

interface Kept extends AlertView {
  /** When its state was last told; absent: silence held it back. */
  toldMs?: number;
}

export interface AlertBookOptions {
  clock: Clock;
  renotifyMs: number;
  resolveAfterMs: number;
  silences: readonly Silence[];
  tell(event: AlertEvent): void;
}

const mostFiring = 1000;
const mostResolved = 200;

export class AlertBook {
  readonly #options: AlertBookOptions;
  readonly #firing = new Map<string, Kept>();
  #resolved: Kept[] = [];
  #silences: readonly Silence[];

  constructor(options: AlertBookOptions) {
    this.#options = options;
    this.#silences = options.silences;
  }

  /** Everything that is wrong at this moment; what is missing here is on its way to being resolved. */
  update(firings: readonly Firing[]): void {
    const now = this.#options.clock.now();
    const gravest = new Map<string, Firing>();
    for (const firing of firings) {
      const fingerprint = fingerprintOf(firing.rule, firing.labels);
      const other = gravest.get(fingerprint);
      if (!other || isGraver(firing.severity, other.severity)) gravest.set(fingerprint, firing);
    }
    for (const [fingerprint, firing] of gravest) this.#see(fingerprint, firing, now);
    for (const alert of this.#firing.values())
      if (now - alert.seenMs >= this.#options.resolveAfterMs) this.#resolve(alert, now);
  }

  /** Takes the place of the earlier silence of the same rule and labels. */
  silence(silence: Silence): void {
    this.unsilence(silence);
    this.#silences = [...this.#silences, silence];
  }

  unsilence({ rule, labels }: Pick<Silence, "rule" | "labels">): void {
    this.#silences = this.#silences.filter(
      (known) => known.rule !== rule || fingerprintOf("", known.labels) !== fingerprintOf("", labels),
    );
  }

  silences(): readonly Silence[] {
    return this.#silences.filter(({ untilMs = Infinity }) => untilMs > this.#options.clock.now());
  }

  /** Those that fire, the longest first; then those lately resolved, the newest first. */
  list(): AlertView[] {
    return [...this.#firing.values(), ...this.#resolved.toReversed()].map(viewOf);
  }

  #see(fingerprint: string, firing: Firing, now: number): void {
    const known = this.#firing.get(fingerprint);
    if (!known && this.#firing.size >= mostFiring) return;
    const risen = known !== undefined && isGraver(firing.severity, known.severity);
    const alert: Kept = {
      ...firing,
      fingerprint,
      state: "firing",
      silenced: this.#isSilenced(firing),
      sinceMs: known?.sinceMs ?? now,
      seenMs: now,
      ...(known?.toldMs !== undefined && !risen && { toldMs: known.toldMs }),
    };
    this.#firing.set(fingerprint, alert);
    if (alert.silenced) return;
    if (alert.toldMs === undefined) this.#tell(alert, "firing", now);
    else if (now - alert.toldMs >= this.#options.renotifyMs) this.#tell(alert, "reminder", now);
  }

  #resolve(alert: Kept, now: number): void {
    this.#firing.delete(alert.fingerprint);
    const resolved: Kept = { ...alert, state: "resolved", resolvedMs: now, silenced: this.#isSilenced(alert) };
    this.#resolved = [...this.#resolved, resolved].slice(-mostResolved);
    // Who never heard that it began need not hear that it ended.
    if (alert.toldMs !== undefined && !resolved.silenced) this.#tell(resolved, "resolved", now);
  }

  #tell(alert: Kept, type: AlertEvent["type"], now: number): void {
    alert.toldMs = now;
    this.#options.tell({ id: `msg_${randomToken(this.#options.clock, 26)}`, type, alert: viewOf(alert) });
  }

  #isSilenced({ rule, labels }: Firing): boolean {
    const now = this.#options.clock.now();
    return this.#silences.some(
      (silence) =>
        (silence.rule === "*" || silence.rule === rule) &&
        (silence.untilMs ?? Infinity) > now &&
        Object.entries(silence.labels).every(([name, value]) => labels[name] === value),
    );
  }
}

const isGraver = (a: Severity, b: Severity): boolean => a !== b && (a === "critical" || b === "info");

function viewOf({ toldMs: _, ...view }: Kept): AlertView {
  return view;
}

function fingerprintOf(rule: string, labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify([rule, sorted])).slice(0, 16);
}
