/**
 * The OpenAI-compatible surface: a drop-in by base URL. Bodies and stream events are the standard ones; everything of
 * Weir's travels in headers. `model` is the use case.
 */
import type { ClientDialect } from "../../engines/dialects/port.ts";
import type { ClientTask } from "../../engines/tasks/port.ts";
import { type Refusal, errorKinds, isRefusal, refuse } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Snapshot, UseCase } from "../../kernel/snapshot.ts";
import type { EmbedRequest, ModerateRequest, TaskRequest } from "../../kernel/task.ts";
import {
  type Exchange,
  type Gateway,
  type Route,
  answerChat,
  answerTask,
  credentialOf,
  refusalHeaders,
  sendJson,
} from "../gateway/index.ts";

export interface ModelLists {
  identify(credential: string | undefined): Principal | Refusal;
  snapshot(): Snapshot;
  /** When the snapshot began to serve, epoch milliseconds: the `created` of every use case. */
  sinceMs(): number;
}

export interface ClientDialects {
  openai: ClientDialect;
  /** For Anthropic's clients on the routes that both APIs have. */
  anthropic: ClientDialect;
  /** Their routes are there where these are. */
  responses?: ClientDialect;
  completions?: ClientDialect;
  embeddings?: ClientTask<EmbedRequest>;
  moderations?: ClientTask<ModerateRequest>;
}

export const openaiRoutes = (gateway: Gateway, dialects: ClientDialects, lists: ModelLists): Route[] => {
  const dialect = dialects.openai;
  const refuseHere = (exchange: Exchange, refusal: Refusal) => refuseAs(dialect, exchange, refusal);
  const route = (method: Route["method"], path: string, handle: Route["handle"]): Route => ({
    method,
    path,
    refuse: refuseHere,
    handle,
  });
  const chat = (path: string, spoken: ClientDialect | undefined): Route[] =>
    spoken ? [route("POST", path, (exchange) => answerChat(gateway, exchange, spoken, "openai"))] : [];
  const errorOf = (refusal: Refusal) => dialect.encodeError({ ...refusal, status: errorKinds[refusal.code].status });
  const task = <Request extends TaskRequest>(path: string, client: ClientTask<Request> | undefined): Route[] =>
    client
      ? [route("POST", path, (exchange) => answerTask(gateway, exchange, { name: "openai", client, errorOf }))]
      : [];
  return [
    ...chat("/v1/chat/completions", dialect),
    ...chat("/v1/responses", dialects.responses),
    ...chat("/v1/completions", dialects.completions),
    ...task("/v1/embeddings", dialects.embeddings),
    ...task("/v1/moderations", dialects.moderations),
    route("GET", "/v1/models", (exchange) => listModels(gateway, lists, dialects, exchange)),
    route("GET", "/v1/models/:model", (exchange, { model }) => listModels(gateway, lists, dialects, exchange, model)),
  ];
};

export function refuseAs(dialect: ClientDialect, exchange: Exchange, refusal: Refusal): void {
  const { status } = errorKinds[refusal.code];
  const headers = refusalHeaders(exchange.decision, refusal);
  sendJson(
    exchange.response,
    status,
    headers,
    dialect.encodeError({ code: refusal.code, message: refusal.message, status }),
  );
}

/** The use cases that this key may call; Anthropic's clients, known by their version header, get their own shape. */
function listModels(
  gateway: Gateway,
  lists: ModelLists,
  dialects: ClientDialects,
  exchange: Exchange,
  only?: string,
): void {
  const { request, response } = exchange;
  const principal = lists.identify(credentialOf(request));
  const anthropic = request.headers["anthropic-version"] !== undefined;
  const turnAway = (refusal: Refusal) => {
    gateway.countRefusal(refusal);
    refuseAs(anthropic ? dialects.anthropic : dialects.openai, exchange, refusal);
  };
  if (isRefusal(principal)) return turnAway(principal);
  const visible = [...lists.snapshot().useCases.values()].filter((useCase) => mayCall(principal, useCase));
  const shape = anthropic ? anthropicModel : openaiModel;
  const headers = { "x-weir-decision-id": exchange.decision };
  if (only !== undefined) {
    const found = visible.find((useCase) => useCase.name === only);
    return found
      ? sendJson(response, 200, headers, shape(found, lists.sinceMs()))
      : turnAway(refuse("unknown_use_case", undefined, { param: "model" }));
  }
  const data = visible.map((useCase) => shape(useCase, lists.sinceMs()));
  const page = anthropic
    ? { has_more: false, first_id: visible[0]?.name ?? null, last_id: visible.at(-1)?.name ?? null }
    : { object: "list" };
  sendJson(response, 200, headers, { ...page, data });
}

/** Whether a key sees a use case at all. */
export const mayCall = (principal: Principal, useCase: UseCase): boolean =>
  (useCase.tenants.length === 0 || useCase.tenants.includes(principal.tenant)) &&
  (principal.use_cases.includes("*") || principal.use_cases.includes(useCase.name));

const openaiModel = (useCase: UseCase, sinceMs: number) => ({
  id: useCase.name,
  object: "model",
  created: Math.floor(sinceMs / 1000),
  owned_by: useCase.owner ?? "weir",
});

const anthropicModel = (useCase: UseCase, sinceMs: number) => ({
  type: "model",
  id: useCase.name,
  display_name: useCase.name,
  created_at: new Date(sinceMs).toISOString(),
});
