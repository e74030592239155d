/** The stages as `assemble` plugs them in. Each is a function; what it needs was given to it there. */
import type { ChatResponse } from "../kernel/chat.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Refusal } from "../kernel/errors.ts";
import type { Principal } from "../kernel/principal.ts";
import type { Rung, Snapshot } from "../kernel/snapshot.ts";
import type { Answer, Decision, Outcome, Served } from "./context.ts";

export interface Path {
  clock: Clock;
  snapshot(): Snapshot;
  /** Refusals before a decision began are counted, not recorded. */
  countRefusal(refusal: Refusal): void;
  identify(credential: string | undefined): Principal | Refusal;
  /** A promise is the replay of an earlier answer under the same idempotency key. */
  admit(d: Decision): Refusal | Promise<Answer> | undefined;
  reserve(d: Decision): Refusal | undefined;
  screen(d: Decision): Refusal | undefined;
  route(d: Decision): Refusal | undefined;
  recall(d: Decision): Promise<ChatResponse | undefined> | undefined;
  ground(d: Decision): void;
  serve(d: Decision, rung: Rung, index: number): Promise<Served | "next-rung">;
  check(d: Decision, rung: Rung, served: Served): Served | "next-rung";
  judge(d: Decision, rung: Rung, served: Served): Outcome | "climb";
  settle: Settle;
}

export interface Settle {
  /** Appends `begun`; a promise where it has to be durable before the first side effect, a refusal where it can't be written. */
  begin(d: Decision): Refusal | Promise<void> | undefined;
  answered(d: Decision, outcome: Outcome): Promise<Answer> | Answer;
  refused(d: Decision, refusal: Refusal): Promise<Answer> | Answer;
  replayed(d: Decision, answer: Answer): Answer;
  fault(d: Decision, fault: unknown): Promise<Answer> | Answer;
}
