/**
 * Open Inference Protocol V2 over REST and JSON, strict: a model is a use case of kind score, its inputs are the features
 * of its contract, its one version is the current bundle. Every row is a decision of its own.
 * It knows no model file and no rule, carries no protected features, and never guesses: what would lose precision,
 * order or meaning is refused. Tensors may be bytes as well as JSON (binary.ts).
 */
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import type { FeatureContract, UseCase } from "../../kernel/snapshot.ts";
import { type Exchange, type Gateway, type Route, credentialOf, sendJson } from "../gateway/index.ts";
import { answerInfer } from "./infer.ts";
import { modelMetadata } from "./metadata.ts";
import { type V2Ports, mayCall, wrongVersion } from "./models.ts";
import { refuseAsV2 } from "./reply.ts";

export type { V2Ports } from "./models.ts";

export function inferenceV2Routes(gateway: Gateway, ports: V2Ports): Route[] {
  const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, refuse: refuseAsV2, handle });
  const forModel = (path: string, show: Show) =>
    ["/v2/models/:model", "/v2/models/:model/versions/:version"].map((model) =>
      get(`${model}${path}`, (exchange, { model: name, version }) =>
        showModel(gateway, ports, exchange, { name: name!, version }, show),
      ),
    );
  const infer = (path: string): Route => ({
    method: "POST",
    path,
    refuse: refuseAsV2,
    handle: (exchange, { model, version }) => answerInfer(gateway, ports, exchange, { name: model!, version }),
  });
  const server = (exchange: Exchange) =>
    show(exchange, { name: "weir", version: ports.version, extensions: ["binary_tensor_data"] });
  return [
    get("/v2", server),
    get("/v2/", server),
    get("/v2/health/live", (exchange) => show(exchange, { live: true })),
    get("/v2/health/ready", (exchange) => showReady(ports, exchange)),
    ...forModel("", modelMetadata),
    ...forModel("/ready", (useCase) =>
      ports.ready(useCase) ? { name: useCase.name, ready: true } : notReady(`"${useCase.name}"`),
    ),
    infer("/v2/models/:model/infer"),
    infer("/v2/models/:model/versions/:version/infer"),
  ];
}

const show = (exchange: Exchange, body: unknown): void =>
  sendJson(exchange.response, 200, { "x-weir-decision-id": exchange.decision }, body);

/** As the protocol says: the server is ready when all of its models are. */
function showReady(ports: V2Ports, exchange: Exchange): void {
  const models = [...ports.snapshot().useCases.values()].filter((useCase) => useCase.kind === "score");
  // A probe is nobody's request: it is answered, not counted.
  if (models.every((useCase) => ports.ready(useCase))) return show(exchange, { ready: true, live: true });
  refuseAsV2(exchange, notReady("At least one model"));
}

const notReady = (what: string): Refusal =>
  refuse("nothing_eligible", `${what} is not ready: no rung of its ladder can answer now.`);

type Show = (useCase: UseCase, contract: FeatureContract) => object | Refusal;

function showModel(
  gateway: Gateway,
  ports: V2Ports,
  exchange: Exchange,
  model: { name: string; version: string | undefined },
  toBody: Show,
): void {
  const body = describe(ports, exchange, model, toBody);
  if (!isRefusal(body)) return show(exchange, body);
  gateway.countRefusal(body);
  refuseAsV2(exchange, body);
}

function describe(
  ports: V2Ports,
  exchange: Exchange,
  model: { name: string; version: string | undefined },
  toBody: Show,
): object | Refusal {
  const principal = ports.identify(credentialOf(exchange.request));
  if (isRefusal(principal)) return principal;
  const useCase = ports.snapshot().useCases.get(model.name);
  // What a key may not call, it must not learn of.
  if (!useCase || !mayCall(principal, useCase)) return refuse("unknown_use_case", undefined, { param: "model" });
  if (!useCase.contract)
    return refuse(
      "kind_mismatch",
      `"${useCase.name}" is a ${useCase.kind} use case, which this protocol does not carry.`,
    );
  return wrongVersion(useCase, model.version) ?? toBody(useCase, useCase.contract);
}
