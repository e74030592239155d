/** Where a decision begins: principal and use case are known. Earlier refusals get an id and are counted, nothing more. */
import { type Refusal, refuse } from "../kernel/errors.ts";
import { zeroUsd } from "../kernel/money.ts";
import type { Principal } from "../kernel/principal.ts";
import { noUsage } from "../kernel/usage.ts";
import type { Answer, Ask, Call, Decision } from "./context.ts";
import { withDeadline } from "../kernel/deadline.ts";
import type { Path } from "./path.ts";

export function turnAway(path: Path, call: Call, refusal: Refusal): Answer {
  path.countRefusal(refusal);
  return { decision: call.decision, outcome: { type: "refused", refusal } };
}

export function openDecision(path: Path, call: Call, principal: Principal, ask: Ask): Decision | Refusal {
  const snapshot = path.snapshot();
  const useCase = snapshot.useCases.get(ask.useCase);
  const tenant = snapshot.tenants.get(principal.tenant);
  // A tenant that has no part in a use case must not learn that it exists.
  if (!useCase || !tenant || (useCase.tenants.length > 0 && !useCase.tenants.includes(tenant.name)))
    return refuse("unknown_use_case", `There is no use case "${printable(ask.useCase)}" for this key.`, {
      param: "model",
    });
  const deadline = withDeadline(path.clock, call.signal, useCase.deadlineMs, () =>
    refuse("deadline_exceeded", `No answer came within ${useCase.deadlineMs} ms.`),
  );
  const d: Decision = {
    id: call.decision,
    call,
    ask,
    snapshot,
    principal,
    tenant,
    useCase,
    kind: useCase.kind,
    clock: path.clock,
    signal: deadline.signal,
    deadlineAt: path.clock.monotonic() + useCase.deadlineMs,
    stages: {},
    guards: [],
    route: [],
    attempts: [],
    attemptsBegun: 0,
    bytesClean: false,
    dropped: new Set(),
    abort: deadline.abort,
    begun: false,
    settled: false,
    dataClass: useCase.dataClass,
    regions: [],
    rewritten: false,
    rungs: [],
    passages: [],
    cache: { status: "off" },
    reasons: [],
    usage: noUsage,
    costNanoUsd: zeroUsd,
    release: deadline.cancel,
  };
  return d;
}

/** At most 64 characters, without control characters: safe in a message. */
const printable = (text: string): string => text.slice(0, 64).replace(/[^\x20-\x7e]/g, "?");
