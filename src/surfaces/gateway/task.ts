/** Embeddings, rerankings and moderations over any client format: whole answers only, errors in the surface's own shape. */
import { type Refusal, errorKinds, refuse } from "../../kernel/errors.ts";
import type { TaskRequest, TaskResponse } from "../../kernel/task.ts";
import type { ClientTask } from "../../engines/tasks/port.ts";
import { type Exchange, type Gateway, callOf, readJsonAsk } from "./exchange.ts";
import { answerHeaders, sendBytes, sendJson } from "./reply.ts";

export interface TaskSurface<Request extends TaskRequest> {
  name: string;
  client: ClientTask<Request>;
  /** False where the client's bytes are never what the vendor of the same format reads. */
  forwards?: false;
  errorOf(refusal: Refusal): unknown;
}

export async function answerTask<Request extends TaskRequest>(
  gateway: Gateway,
  exchange: Exchange,
  surface: TaskSurface<Request>,
): Promise<void> {
  const { client, name } = surface;
  let asked: { useCase: string; request: Request; body: unknown } | undefined;
  const call = callOf(exchange, name, () =>
    readJsonAsk(exchange, gateway.maxBodyBytes, (value, body) => {
      const decoded = client.decodeRequest(value);
      if (!decoded.ok) return refuse("invalid_request", decoded.message, { param: decoded.path });
      const { model: useCase, request } = decoded;
      asked = { useCase, request, body: value };
      const format = surface.forwards === false ? undefined : client.same;
      return { kind: request.kind, useCase, task: request, body, ...(format !== undefined && { format }) };
    }),
  );
  const answer = await gateway.decide(call);
  const { outcome, decision } = answer;
  if (outcome.type === "refused") {
    const { refusal } = outcome;
    const { status } = errorKinds[refusal.code];
    return sendJson(exchange.response, status, answerHeaders(answer), surface.errorOf(refusal));
  }
  if (!asked || outcome.type !== "task") throw new Error(`a task's surface can't show a ${outcome.type}`);
  const { useCase, request, body } = asked;
  // Admission has seen to it that the answer is of the kind that was asked for.
  const response = outcome.response as Extract<TaskResponse, { kind: Request["kind"] }>;
  const bytes = outcome.raw ?? JSON.stringify(client.encodeResponse(response, request, { decision, useCase, body }));
  sendBytes(exchange.response, 200, answerHeaders(answer), bytes, "application/json");
}
