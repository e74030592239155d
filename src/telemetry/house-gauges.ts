/** What is read of the house when metrics are printed. */
import type { Metrics } from "./metrics.ts";
import type { HouseState } from "./port.ts";

const breakerStates = ["closed", "open", "half-open"] as const;

export function addHouseGauges(metrics: Metrics, house: HouseState): void {
  const one = (name: string, help: string, read: () => number) => metrics.gauge(name, help, () => [[{}, read()]]);
  one("weir_running_decisions", "Decisions that hold a place now.", () => house.running());
  one("weir_held_nano_usd", "Money held for running attempts.", () => house.heldNanoUsd());
  one("weir_cache_flights", "Decisions that others may wait for.", () => house.cache().flights);
  one("weir_cache_entries", "Answers in the exact cache.", () => house.cache().entries);
  one("weir_cache_bytes", "Bytes of the answers in the exact cache.", () => house.cache().bytes);
  one("weir_journal_entries", "Durable journal entries.", () => house.journal().entries);
  one("weir_journal_queued_bytes", "Bytes waiting for the disk.", () => house.journal().queuedBytes);
  one("weir_journal_writable", "1 while the journal can be written.", () => (house.journal().writable ? 1 : 0));
  addBudgets(metrics, house);
  addTargets(metrics, house);
  metrics.gauge(
    "weir_vendor_keys",
    "Keys of a vendor by state; dead ones are no longer taken by the vendor.",
    () => keysByState(house),
    ["vendor", "state"],
  );
}

function addBudgets(metrics: Metrics, house: HouseState): void {
  metrics.gauge(
    "weir_spent_nano_usd",
    "Booked in the current budget window.",
    function* () {
      for (const [tenant, spent] of house.spentNanoUsd()) yield [{ tenant }, spent];
    },
    ["tenant"],
  );
  const budget = (name: string, help: string, of: "amount" | "spent" | "held") =>
    metrics.gauge(
      name,
      help,
      function* () {
        for (const line of house.budgets()) yield [{ scope: line.scope, per: line.per }, line[of]];
      },
      ["scope", "per"],
    );
  budget("weir_budget_nano_usd", "What a budget allows in its window, in nano-USD.", "amount");
  budget("weir_budget_spent_nano_usd", "What was spent of a budget in its current window, in nano-USD.", "spent");
  budget("weir_budget_held_nano_usd", "What running attempts hold of a budget, in nano-USD.", "held");
}

function addTargets(metrics: Metrics, house: HouseState): void {
  metrics.gauge(
    "weir_target_breaker",
    "1 for the state that a target's circuit breaker is in.",
    function* () {
      for (const { target, breaker } of house.targets())
        for (const state of breakerStates) yield [{ target, state }, state === breaker ? 1 : 0];
    },
    ["target", "state"],
  );
  const ofTarget = <Of>(
    name: string,
    help: string,
    all: () => Iterable<Of & { target: string }>,
    of: (one: Of) => number,
  ) =>
    metrics.gauge(
      name,
      help,
      function* () {
        for (const one of all()) yield [{ target: one.target }, of(one)];
      },
      ["target"],
    );
  const targets = () => house.targets();
  const capacity = () => house.capacity();
  ofTarget("weir_target_ejected", "1 while a target is left out as an outlier.", targets, ({ ejected }) =>
    ejected ? 1 : 0,
  );
  ofTarget("weir_target_in_flight", "Calls of a target that run now.", targets, ({ inFlight }) => inFlight);
  ofTarget("weir_target_retries_left", "Retries that a target's budget has left.", targets, (t) => t.retriesLeft);
  ofTarget("weir_target_limit", "Calls that may run at a target at once, as learned.", capacity, (t) => t.limit);
  ofTarget("weir_target_running", "Calls that hold a place at a target.", capacity, (t) => t.running);
  metrics.gauge(
    "weir_target_waiting",
    "Calls that wait for a place at a target, by class.",
    function* () {
      for (const { target, waiting } of house.capacity())
        for (const [priority, calls] of Object.entries(waiting)) yield [{ target, class: priority }, calls];
    },
    ["target", "class"],
  );
}

function* keysByState(house: HouseState): Generator<readonly [Record<string, string>, number]> {
  const vendors = new Map<string, Record<string, number>>();
  for (const { vendor, state } of house.vendorKeys()) {
    let counts = vendors.get(vendor);
    if (!counts) vendors.set(vendor, (counts = { live: 0, cooling: 0, dead: 0 }));
    counts[state]! += 1;
  }
  for (const [vendor, counts] of vendors)
    for (const [state, count] of Object.entries(counts)) yield [{ vendor, state }, count];
}
