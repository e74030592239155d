/** RFC 9457 problem documents for the codes of `kernel/errors.ts`. */
import { type ErrorCode, errorKinds, type Refusal, WeirError } from "../../kernel/errors.ts";

interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  fix: string;
  /** The field or header concerned. */
  param?: string;
  decision_id?: string;
}

function problemOf(refusal: Refusal, decisionId?: string): Problem {
  const { status, title, fix } = errorKinds[refusal.code];
  return {
    type: `urn:weir:error:${refusal.code}`,
    title,
    status,
    detail: refusal.message,
    code: refusal.code,
    fix,
    ...(refusal.param !== undefined && { param: refusal.param }),
    ...(decisionId !== undefined && { decision_id: decisionId }),
  };
}

export function problemResponse(refusal: Refusal, decisionId?: string): Response {
  const problem = problemOf(refusal, decisionId);
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (refusal.retryAfterMs !== undefined)
    headers.set("retry-after", String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** Of a fault only its code is shown; faults of other folders carry a code of the same table. */
export function codeOfFault(error: unknown): ErrorCode {
  if (error instanceof WeirError) return error.code;
  const code = (error as { code?: unknown } | null)?.code;
  return code === "record_unavailable" ? code : "internal";
}
