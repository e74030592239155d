/**
 * The governed path: every decision, chat or score, is read top to bottom here. One call per stage, in the order of
 * ARCHITECTURE.md; no I/O of its own. Expected refusals are values, only faults throw, and whatever happens after
 * `admit` has named tenant and use case ends in exactly one `settled` entry.
 */
import { type Refusal, isRefusal, refuse } from "../kernel/errors.ts";
import type { Answer, Call, Decision } from "./context.ts";
import { openDecision, turnAway } from "./enter.ts";
import { nextRung } from "./ladder.ts";
import type { Path } from "./path.ts";
import { timed } from "./timing.ts";

export async function decide(path: Path, call: Call): Promise<Answer> {
  // 1 identify: who is calling
  const identified = path.clock.monotonic();
  const principal = path.identify(call.credential);
  if (isRefusal(principal)) return turnAway(path, call, principal);
  const admitted = path.clock.monotonic();
  const ask = await call.read();
  if (isRefusal(ask)) return turnAway(path, call, ask);
  const decision = openDecision(path, call, principal, ask);
  if (isRefusal(decision)) return turnAway(path, call, decision);
  decision.stages.identify = admitted - identified;
  try {
    return await travel(path, decision);
  } catch (fault) {
    return path.settle.fault(decision, fault);
  }
}

async function travel(path: Path, d: Decision): Promise<Answer> {
  // 2 admit: may this principal ask this, for this purpose, with this data
  const admitted = timed(d, "admit", () => path.admit(d));
  if (isRefusal(admitted)) return path.settle.refused(d, admitted);
  if (admitted) return path.settle.replayed(d, await admitted);

  // 3 reserve: requests, tokens, concurrency. Held in the tick in which `begun` is appended.
  const reserved = timed(d, "reserve", () => path.reserve(d)) ?? timed(d, "settle", () => path.settle.begin(d));
  if (isRefusal(reserved)) return path.settle.refused(d, reserved);
  if (reserved) await reserved;

  // 4 screen: input guards
  const screened = timed(d, "screen", () => path.screen(d));
  if (screened) return path.settle.refused(d, screened);

  // 5 route: eligible rungs, arms, and why
  const unroutable = timed(d, "route", () => path.route(d));
  if (unroutable) return path.settle.refused(d, unroutable);

  // 6 recall: an earlier answer, or another request's answer to come
  const recalled = timed(d, "recall", () => path.recall(d));
  const remembered = recalled && (await recalled);
  if (remembered) return path.settle.answered(d, { type: "chat", response: remembered });

  // 7 ground: passages that this caller may read
  timed(d, "ground", () => path.ground(d));

  // 8–10, rung by rung: serve, check, judge
  for (let step = nextRung(d); step; step = nextRung(d, step)) {
    d.rung = step.index;
    const served = await timed(d, "serve", () => path.serve(d, step.rung, step.index));
    if (served === "next-rung") continue;
    const checked = timed(d, "check", () => path.check(d, step.rung, served));
    if (checked === "next-rung") continue;
    const judged = timed(d, "judge", () => path.judge(d, step.rung, checked));
    if (judged === "climb") continue;
    // 11 settle: usage, price, record; quota, cache and counters follow from it
    return path.settle.answered(d, judged);
  }
  return path.settle.refused(d, d.signal.aborted ? (d.signal.reason as Refusal) : exhausted(d));
}

/** The last thing that stood in the way says it best: a blocking guard, a caller's fault, else the ladder's end. */
function exhausted(d: Decision) {
  if (d.guards.some((guard) => guard.on === "output" && guard.action === "next-rung")) return refuse("output_blocked");
  const last = d.attempts.at(-1);
  // Too dear, or no room at the target: said with the wait that is honest.
  if (last?.status === "unaffordable" || last?.reason?.startsWith("shed_"))
    return d.turnedAway ?? refuse("budget_exhausted");
  if (last?.status === "rejected")
    return refuse("upstream_rejected", `The vendor refused the request (${last.reason}).`);
  const told = d.attempts
    .map(({ model, status, reason }) => `${model}: ${reason ?? (status === "ok" ? "not accepted" : status)}`)
    .join("; ");
  return refuse("ladder_exhausted", `Every rung of the ladder failed${told && ` (${told})`}.`);
}
