import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { LadderRung, ModelRung, PoolRung } from "../../kernel/snapshot.ts";
import type { Decision } from "../../path/context.ts";
import type { HealthView, KeyView } from "../serve/health/port.ts";
import { type Bar, type BarPorts, conditionBar, hereBar, vendorBar } from "./bars.ts";
import { type Candidate, candidateOf, close, expectedCost, isOpenModel, nameOf } from "./candidate.ts";
import { Facts } from "./facts.ts";
import { applyOverrides } from "./apply-overrides.ts";
import { orderPool } from "./pool-order.ts";
import type { CascadeView, OverrideView } from "./port.ts";

export interface RoutePorts extends BarPorts {
  health: HealthView;
  keys: KeyView;
  cascades: CascadeView;
  overrides: OverrideView;
}

/** How many decisions take a light rung that doesn't pay, so that it is noticed when it does again; high risk: none. */
const exploredShare = 0.02;

export function createRoute(ports: RoutePorts): (d: Decision) => Refusal | undefined {
  return (d) => {
    const facts = new Facts(d);
    const candidates = d.useCase.ladder.flatMap((item, index) => candidatesOf(ports, facts, item, index));
    const overrides = ports.overrides.of(d.useCase.name);
    if (overrides.length > 0) applyOverrides(overrides, candidates);
    if (d.budgetLevel === "degrade") closeDearest(facts, candidates);
    closeLossCascades(ports, facts, candidates);
    for (const { reason, rung, index } of candidates) {
      d.route.push(reason);
      if (reason.eligible) d.rungs.push({ index, rung });
    }
    return refusalOf(d, candidates);
  };
}

function candidatesOf(ports: RoutePorts, facts: Facts, item: LadderRung, index: number): Candidate[] {
  if (item.type === "pool") return poolOf(ports, facts, item, index);
  return [item.type === "model" ? modelCandidate(ports, facts, item, index) : candidateOf(index, item, undefined)];
}

function modelCandidate(ports: RoutePorts, facts: Facts, rung: ModelRung, index: number): Candidate {
  const model = facts.d.snapshot.models.get(rung.model);
  if (!model) return candidateOf(index, rung, { reason: "unknown_model" });
  if (model.type === "runtime") {
    const bar = hereBar(ports, facts, model) ?? (rung.when && conditionBar(rung.when, facts, "in-process"));
    return candidateOf(index, rung, bar);
  }
  const vendor = facts.d.snapshot.vendors.get(model.vendor)!;
  const target = `${vendor.name}/${model.model}`;
  const bar: Bar =
    vendorBar(ports, facts, model, vendor) ?? (rung.when && conditionBar(rung.when, facts, vendor.region));
  const candidate: Candidate = { ...candidateOf(index, rung, bar), elsewhere: { model, vendor, target } };
  if (bar) return candidate;
  const keys = ports.keys.availability(vendor, target);
  if (keys === "no_live_key") close(candidate, "no_live_key", `vendor ${vendor.name} takes none of its keys`);
  else if (!ports.health.admits(target, vendor.health)) {
    candidate.elsewhere!.state = ports.health.stateOf(target, vendor.health);
    close(candidate, "breaker_open", `${target} keeps failing`);
  } else if (keys !== "live") candidate.cooling = true;
  return candidate;
}

/** The open members in the order of the strategy, then the others with what stands against them. */
function poolOf(ports: RoutePorts, facts: Facts, pool: PoolRung, index: number): Candidate[] {
  const { members, strategy, when, commit, accept } = pool;
  const candidates = members.map((member): Candidate => {
    const rung: ModelRung = {
      type: "model",
      model: member.model,
      ...(member.slot !== undefined && { slot: member.slot }),
      commit,
      ...(accept && { accept }),
      ...(when && { when }),
    };
    const candidate = { ...modelCandidate(ports, facts, rung, index), member };
    candidate.reason.pool = { strategy };
    if (candidate.reason.eligible) closeMember(facts, pool, candidate);
    return candidate;
  });
  const open = candidates.filter(({ reason }) => reason.eligible);
  const ordered = orderPool(facts, strategy, withoutEjected(ports, open));
  return [...ordered, ...candidates.filter((candidate) => !ordered.includes(candidate))];
}

function closeMember(facts: Facts, { strategy }: PoolRung, candidate: Candidate): void {
  const { when, upToTokens } = candidate.member!;
  const region = candidate.elsewhere?.vendor.region ?? "in-process";
  const bar = when && conditionBar(when, facts, region);
  if (bar) close(candidate, bar.reason, bar.detail);
  else if (strategy === "by-length" && upToTokens !== undefined && facts.tokens > upToTokens)
    close(candidate, "context_too_long", `it is taken for up to ${upToTokens} tokens, these are about ${facts.tokens}`);
}

/** Leaves out who does much worse than its peers, unless nobody else is left. */
function withoutEjected({ health }: RoutePorts, open: readonly Candidate[]): Candidate[] {
  const elsewhere = open.flatMap((candidate) => candidate.elsewhere ?? []);
  health.compare(elsewhere.map(({ target }) => target));
  for (const at of elsewhere) at.state = health.stateOf(at.target, at.vendor.health);
  const kept = open.filter(({ elsewhere: at }) => !at?.state?.ejected);
  if (kept.length === 0) return [...open];
  for (const candidate of open)
    if (!kept.includes(candidate)) close(candidate, "ejected", "it does much worse than its peers just now");
  return kept;
}

/** Near the end of the budget the dearest way is not taken, as long as there is another one. */
function closeDearest(facts: Facts, candidates: readonly Candidate[]): void {
  const open = candidates.filter(isOpenModel);
  if (open.length < 2) return;
  const costs = open.map((candidate) => expectedCost(facts, candidate));
  const most = Math.max(...costs);
  if (most > Math.min(...costs)) close(open[costs.indexOf(most)]!, "budget_degraded", "the budget is nearly spent");
}

function closeLossCascades({ cascades }: RoutePorts, facts: Facts, candidates: readonly Candidate[]): void {
  const { d } = facts;
  for (const light of candidates) {
    if (!isOpenModel(light) || light.rung.type !== "model" || !light.rung.accept) continue;
    const next = candidates.find((other) => isOpenModel(other) && other.index > light.index);
    if (!next) continue;
    const figures = cascades.consider({
      useCase: d.useCase.name,
      light: { rung: light.index, model: nameOf(light), cost: expectedCost(facts, light) },
      next: { rung: next.index, model: nameOf(next), cost: expectedCost(facts, next) },
      explore: d.useCase.risk === "high" ? 0 : exploredShare,
    });
    light.reason.cascade = figures;
    if (figures.state === "off")
      close(light, "cascade_off", "its answers are accepted too rarely to be worth its price");
  }
}

// How long to wait where nobody knows: for probes that are out, and for a key that an operator has to replace.
const probingMs = 1_000;
const replacingMs = 60_000;

/** Until the first breaker lets somebody through again. */
function soonest(d: Decision, candidates: readonly Candidate[]): number {
  const waits = candidates
    .filter(({ reason }) => reason.reason === "breaker_open")
    .map(({ elsewhere }) => (elsewhere?.state?.untilMs ?? 0) - d.clock.monotonic());
  return waits.length === 0 ? replacingMs : Math.max(probingMs, Math.min(...waits));
}

/** Against health there is no other way than to wait; everything else is a matter of the request or of policy. */
const passing = new Set(["breaker_open", "no_live_key", "ejected"]);

function refusalOf(d: Decision, candidates: readonly Candidate[]): Refusal | undefined {
  const barred = (reason: string) => d.route.find((each) => each.reason === reason);
  if (!candidates.some(isOpenModel)) {
    const loss = barred("translation_loss");
    // A stand-in text is no answer to somebody who wants all or nothing.
    if (loss) return refuse("translation_loss", `${loss.target} would lose ${loss.detail ?? "part of it"}.`);
    if (barred("previous_response_elsewhere"))
      return refuse(
        "unsupported_feature",
        "previous_response_id needs a model whose vendor speaks the Responses API and gets the request unchanged.",
        { param: "previous_response_id" },
      );
  }
  if (d.rungs.length > 0) return undefined;
  const unfit = barred("too_many_inputs") ?? barred("token_ids_unsupported");
  if (unfit)
    return refuse("invalid_request", `${unfit.target}: ${unfit.detail ?? unfit.reason}.`, {
      param: d.kind === "rerank" ? "documents" : "input",
    });
  if (d.route.every((reason) => reason.reason === "data_class_not_allowed"))
    return refuse("data_class_not_allowed", `No model of this use case may see ${d.dataClass} data.`);
  const told = d.route.map((reason) => `${reason.target}: ${reason.reason}`).join("; ");
  if (d.route.some((each) => passing.has(each.reason)))
    return refuse("ladder_exhausted", `No model of the ladder can be called now (${told}).`, {
      retryAfterMs: soonest(d, candidates),
    });
  return refuse("nothing_eligible", `No rung of the ladder is open to this request (${told}).`);
}
