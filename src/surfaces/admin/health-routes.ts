/** Vendors' health: each target as routing sees it, keys by id, models of this process. And what is alarming. */
import type { z } from "zod";
import type { Snapshot, UseCase } from "../../kernel/snapshot.ts";
import type { TargetState } from "../../stages/serve/health/port.ts";
import * as schemas from "./operation-schemas.ts";
import type { AdminDeps, AlertFacts, TargetRoom } from "./port.ts";
import { type Route, route } from "./route.ts";

type Answer = z.input<typeof schemas.targets>;

export function healthRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/targets",
      name: "listTargets",
      summary: "Vendors' targets with breaker, latency and capacity; vendors' keys by id; models of this process.",
      access: "metadata.read",
      answer: schemas.targets,
      handle: async () => targetsOf(deps),
    }),
    route({
      method: "get",
      path: "/alerts",
      name: "listAlerts",
      summary: "Alerts that fire, then those lately resolved.",
      access: "metadata.read",
      answer: schemas.alerts,
      async handle() {
        return { alerts: deps.operations.alerts().map(alertOf) };
      },
    }),
  ];
}

function targetsOf({ clock, operations, snapshot }: AdminDeps): Answer {
  const { snapshot: served } = snapshot();
  const rooms = new Map(operations.capacity().map((room) => [room.target, room]));
  const now = clock.monotonic();
  const targets = new Map<string, Answer["targets"][number]>();
  const inProcess: Answer["in_process"] = [];
  for (const model of served.models.values()) {
    const useCases = useCasesOf(served, model.name);
    if (model.type === "runtime") {
      const fault = operations.loadFault(model);
      inProcess.push({
        model: model.name,
        runtime: model.runtime,
        use_cases: useCases,
        ...(fault !== undefined && { fault }),
      });
      continue;
    }
    const vendor = served.vendors.get(model.vendor)!;
    const target = `${vendor.name}/${model.model}`;
    const known = targets.get(target);
    if (known) {
      known.models.push(model.name);
      known.use_cases = [...new Set([...known.use_cases, ...useCases])].sort();
      continue;
    }
    const room = rooms.get(target);
    targets.set(target, {
      target,
      vendor: vendor.name,
      region: vendor.region,
      models: [model.name],
      use_cases: useCases,
      state: stateOf(operations.targetState(target, vendor), now),
      ...(room && { capacity: capacityOf(room) }),
    });
  }
  const vendors = [...served.vendors.values()].map((vendor) => ({
    name: vendor.name,
    dialect: vendor.dialect,
    region: vendor.region,
    data_class: vendor.dataClass,
    keys: operations.keysOf(vendor).map(({ id, state, forMs }) => ({
      id,
      state,
      ...(forMs !== undefined && { for_ms: forMs }),
    })),
  }));
  return { at_ms: clock.now(), targets: [...targets.values()], vendors, in_process: inProcess };
}

const useCasesOf = ({ useCases }: Snapshot, model: string): string[] =>
  [...useCases.values()]
    .filter((useCase) => modelsOf(useCase).includes(model))
    .map(({ name }) => name)
    .sort();

const modelsOf = ({ ladder }: Pick<UseCase, "ladder">): string[] =>
  ladder.flatMap((rung) =>
    rung.type === "pool" ? rung.members.map(({ model }) => model) : rung.type === "model" ? [rung.model] : [],
  );

function stateOf(state: TargetState, now: number): Answer["targets"][number]["state"] {
  const { untilMs, ttftMs, totalMs, perTokenMs, outputTokens, cachedShare } = state;
  return {
    breaker: state.breaker,
    open: state.open,
    ejected: state.ejected,
    ...(untilMs !== undefined && { for_ms: Math.max(0, untilMs - now) }),
    in_flight: state.inFlight,
    requests: state.requests,
    failures: state.failures,
    consecutive_failures: state.consecutiveFailures,
    ...(ttftMs !== undefined && { ttft_ms: ttftMs }),
    ...(totalMs !== undefined && { total_ms: totalMs }),
    ...(perTokenMs !== undefined && { per_token_ms: perTokenMs }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(cachedShare !== undefined && { cached_share: cachedShare }),
    load_ms: state.load,
    share: state.share,
    retries_left: state.retriesLeft,
  };
}

export const capacityOf = ({ limit, running, waiting }: TargetRoom) => ({ limit, running, waiting });

function alertOf(alert: AlertFacts): z.input<typeof schemas.alerts>["alerts"][number] {
  const { fingerprint, rule, severity, state, silenced, labels, summary, value, threshold } = alert;
  return {
    fingerprint,
    rule,
    severity,
    state,
    silenced,
    labels,
    summary,
    ...(value !== undefined && { value }),
    ...(threshold !== undefined && { threshold }),
    since_ms: alert.sinceMs,
    ...(alert.resolvedMs !== undefined && { resolved_ms: alert.resolvedMs }),
  };
}
