/**
 * What turned out later: `POST /v1/outcomes` joins outcomes to decisions of the caller's own tenant. Decides whether an
 * outcome is well-formed, may be sent by this key, and is new, a repetition or a contradiction. A batch is stored whole or
 * not at all, and is on disk before the answer. It never changes a decision and never judges what an outcome means.
 */
import { type Refusal, isRefusal } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import {
  type Exchange,
  type Gateway,
  type Route,
  credentialOf,
  readJson,
  refuseAsProblem,
  sendJson,
} from "../gateway/index.ts";
import { decodeOutcomes } from "./decode-outcomes.ts";
import type { OutcomePorts } from "./port.ts";
import { type StoredOutcome, OutcomeStore } from "./store.ts";

export type { DecisionFacts, OutcomePorts } from "./port.ts";

const maxBodyBytes = 4 * 1024 * 1024;

export function outcomeRoutes(gateway: Gateway, ports: OutcomePorts): Route[] {
  const store = new OutcomeStore(ports);
  return [
    {
      method: "POST",
      path: "/v1/outcomes",
      refuse: refuseAsProblem,
      handle: async (exchange) => {
        const outcomes = await take(ports, store, exchange);
        if (isRefusal(outcomes)) {
          gateway.countRefusal(outcomes);
          return refuseAsProblem(exchange, outcomes);
        }
        const status = outcomes.some((outcome) => outcome.stored) ? 201 : 200;
        sendJson(exchange.response, status, { "x-weir-decision-id": exchange.decision }, { outcomes });
      },
    },
  ];
}

async function take(ports: OutcomePorts, store: OutcomeStore, exchange: Exchange): Promise<StoredOutcome[] | Refusal> {
  const principal: Principal | Refusal = ports.identify(credentialOf(exchange.request));
  if (isRefusal(principal)) return principal;
  const body = await readJson(exchange, maxBodyBytes);
  if (isRefusal(body)) return body;
  const outcomes = decodeOutcomes(body.value, ports.clock.now());
  return isRefusal(outcomes) ? outcomes : store.store(principal, outcomes);
}
