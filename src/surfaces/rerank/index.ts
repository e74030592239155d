/**
 * Reranking in Cohere's shape, `POST /v2/rerank` and the older `POST /v1/rerank`, which other servers imitate; `model` is
 * the use case. Errors are `{message, code}`. It decides nothing about documents or their order.
 */
import type { ClientTask } from "../../engines/tasks/port.ts";
import { type Refusal, errorKinds } from "../../kernel/errors.ts";
import type { RerankRequest } from "../../kernel/task.ts";
import { type Exchange, type Gateway, type Route, answerTask, refusalHeaders, sendJson } from "../gateway/index.ts";

export const rerankRoutes = (gateway: Gateway, client: ClientTask<RerankRequest>): Route[] => [
  {
    method: "POST",
    path: "/v2/rerank",
    refuse: refuseHere,
    handle: (exchange) => answerTask(gateway, exchange, { name: "rerank", client, errorOf }),
  },
  {
    method: "POST",
    path: "/v1/rerank",
    refuse: refuseHere,
    // Documents may be objects here, which vendors of the present format don't read.
    handle: (exchange) => answerTask(gateway, exchange, { name: "rerank", client, forwards: false, errorOf }),
  },
];

const errorOf = ({ code, message, param }: Refusal) => ({ message, code, ...(param !== undefined && { param }) });

function refuseHere(exchange: Exchange, refusal: Refusal): void {
  sendJson(
    exchange.response,
    errorKinds[refusal.code].status,
    refusalHeaders(exchange.decision, refusal),
    errorOf(refusal),
  );
}
