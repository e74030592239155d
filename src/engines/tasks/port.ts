/** The wire formats of embeddings and rerankings. Pure: no fetch, no clock, no randomness, no I/O. */
import type { EmbedRequest, RerankRequest, TaskRequest, TaskResponse } from "../../kernel/task.ts";

export type VendorTaskRequest = EmbedRequest | RerankRequest;
export type DecodedTask<Response> = { ok: true; response: Response } | { ok: false; message: string };

/** How Weir asks a vendor. */
export interface VendorTask<Request extends VendorTaskRequest = VendorTaskRequest> {
  name: string;
  /** Relative to the vendor's base URL. */
  path(model: string): string;
  /** Most inputs of one call; more are refused with a clear reason, never cut. */
  mostInputs: number;
  /** `dropped` names every field that the body doesn't carry, `unmodelled` included. */
  encodeRequest(request: Request, model: string): { body: unknown; dropped: string[] };
  decodeResponse(
    body: unknown,
    request: Request,
    model: string,
  ): DecodedTask<Extract<TaskResponse, { kind: Request["kind"] }>>;
  /** For clients who speak this very format: their bytes with only the model changed. */
  forward?(body: Uint8Array, model: string): Uint8Array;
}

/** How a client asks Weir. */
export interface ClientTask<Request extends TaskRequest = TaskRequest> {
  /** The vendor format that is the same, by name, where there is one. */
  same?: string;
  decodeRequest(
    body: unknown,
  ): { ok: true; model: string; request: Request } | { ok: false; path: string; message: string };
  encodeResponse(
    response: Extract<TaskResponse, { kind: Request["kind"] }>,
    request: Request,
    asked: { decision: string; useCase: string; body: unknown },
  ): unknown;
}
