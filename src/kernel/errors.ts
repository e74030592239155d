/**
 * Every way Weir says no, in one table. `docs/reference/errors.md` is generated from it, and a test demands an entry
 * there and a provoking test for each. Codes are stable: clients may switch on them.
 */
export interface ErrorKind {
  /** HTTP status on every surface. */
  status: number;
  /** Whose doing it is: decides alerting and whether a retry elsewhere may help. */
  fault: "caller" | "policy" | "upstream" | "weir";
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  title: string;
  fix: string;
}

const kind = (
  status: number,
  fault: ErrorKind["fault"],
  retryable: boolean,
  title: string,
  fix: string,
): ErrorKind => ({ status, fault, retryable, title, fix });

export const errorKinds = {
  // gateway, before a decision begins
  malformed_request: kind(
    400,
    "caller",
    false,
    "The request cannot be read.",
    "Send a complete HTTP request with a valid JSON body.",
  ),
  malformed_json: kind(
    400,
    "caller",
    false,
    "The body is not valid JSON.",
    "Check the body at the position named in the message.",
  ),
  unsupported_media_type: kind(
    415,
    "caller",
    false,
    "The body's content type is not supported.",
    "Send content-type: application/json without compression.",
  ),
  body_too_large: kind(
    413,
    "caller",
    false,
    "The body is larger than this route accepts.",
    "Send a smaller body; the limit is in the message.",
  ),
  request_timeout: kind(
    408,
    "caller",
    true,
    "The request arrived too slowly.",
    "Send headers and body without long pauses.",
  ),
  headers_too_large: kind(
    431,
    "caller",
    false,
    "The request's headers are too large.",
    "Send less than 16 KiB of headers.",
  ),
  route_not_found: kind(
    404,
    "caller",
    false,
    "There is nothing at this path.",
    "See docs/reference/http.md for the routes that Weir serves.",
  ),
  method_not_allowed: kind(
    405,
    "caller",
    false,
    "This path does not answer to this method.",
    "Use the method named in the Allow header.",
  ),
  not_implemented: kind(
    501,
    "caller",
    false,
    "Weir does not support this yet.",
    "Leave out the feature named in the message.",
  ),
  unauthenticated: kind(
    401,
    "caller",
    false,
    "No credential was sent.",
    "Send an API key as `authorization: Bearer wr_…` or `x-api-key`.",
  ),
  invalid_key: kind(
    401,
    "caller",
    false,
    "The API key is not valid.",
    "Check that the whole key was copied, or mint a new one with `weir keys mint`.",
  ),
  expired_key: kind(401, "caller", false, "The API key has expired.", "Rotate it with `weir keys rotate`."),
  revoked_key: kind(401, "caller", false, "The API key has been revoked.", "Ask the tenant's operator for a new key."),
  wrong_environment: kind(
    401,
    "caller",
    false,
    "The API key belongs to another environment.",
    "Use a key minted for the environment that this server runs.",
  ),
  unknown_use_case: kind(
    404,
    "caller",
    false,
    "There is no such use case for this key.",
    "List the use cases of this key with GET /v1/models.",
  ),
  // admit
  use_case_not_allowed: kind(
    403,
    "policy",
    false,
    "This key has no right to this use case.",
    "Ask the tenant's operator to grant the use case to the key.",
  ),
  kind_mismatch: kind(
    400,
    "caller",
    false,
    "This use case is called on another route.",
    "Call the route named in the message.",
  ),
  condition_not_met: kind(
    403,
    "policy",
    false,
    "The use case's condition on callers is not met.",
    "The condition is named in the message.",
  ),
  purpose_required: kind(
    403,
    "policy",
    false,
    "This use case needs a stated purpose.",
    "Send the x-weir-purpose header with one of the purposes that the use case allows.",
  ),
  purpose_not_allowed: kind(
    403,
    "policy",
    false,
    "The stated purpose is not allowed here.",
    "Send one of the purposes named in the message.",
  ),
  subject_required: kind(
    400,
    "caller",
    false,
    "This use case needs to know the subject.",
    "Send the x-weir-subject header with your stable reference of the person concerned.",
  ),
  consent_required: kind(
    403,
    "policy",
    false,
    "This use case needs the subject's consent.",
    "Send x-weir-consent with the reference of a consent that covers subject and purpose.",
  ),
  consent_not_valid: kind(
    403,
    "policy",
    false,
    "The consent referred to does not cover this.",
    "Obtain consent for this subject and purpose, or correct the reference.",
  ),
  data_class_not_allowed: kind(
    403,
    "policy",
    false,
    "Data of this class may not go to this use case.",
    "Lower the data class by leaving out the data, or use a use case that allows it.",
  ),
  invalid_input: kind(
    422,
    "caller",
    false,
    "The input does not fit the use case's contract.",
    "Correct the fields named in the message.",
  ),
  invalid_request: kind(
    400,
    "caller",
    false,
    "The request has a field that is missing or wrong.",
    "Correct the field named in the message.",
  ),
  unsupported_feature: kind(
    400,
    "caller",
    false,
    "The request asks for something that this use case cannot do.",
    "Leave out the feature named in the message.",
  ),
  idempotency_in_flight: kind(
    409,
    "caller",
    true,
    "A request with this idempotency key is still running.",
    "Wait for its answer, or retry after the time in Retry-After.",
  ),
  idempotency_mismatch: kind(
    422,
    "caller",
    false,
    "This idempotency key was used with another body.",
    "Use a new key for a new request.",
  ),
  idempotency_interrupted: kind(
    409,
    "weir",
    false,
    "The request with this idempotency key was interrupted and will not be repeated.",
    "Look at the decision named in x-weir-decision-id, then send a new key if it should run again.",
  ),
  // reserve
  rate_limited: kind(429, "policy", true, "Too many requests.", "Wait as long as Retry-After says."),
  token_limited: kind(
    429,
    "policy",
    true,
    "Too many tokens.",
    "Wait as long as Retry-After says, or send a shorter request.",
  ),
  unusual_calls: kind(
    429,
    "policy",
    true,
    "This caller's requests are unlike what it sent before.",
    "Wait as long as Retry-After says, or ask the operator: the alert names what is unusual.",
  ),
  concurrency_limited: kind(429, "policy", true, "Too many requests at once.", "Wait for running requests to end."),
  budget_exhausted: kind(
    429,
    "policy",
    true,
    "The money budget for this window is spent.",
    "Wait for the next window, or ask the tenant's operator for a larger budget.",
  ),
  input_too_long: kind(
    400,
    "policy",
    false,
    "The input is longer than this use case takes.",
    "Send less text; the message names the limit and the estimate in tokens.",
  ),
  cost_too_high: kind(
    400,
    "policy",
    false,
    "The request could cost more than this use case allows for one call.",
    "Send a shorter request or a smaller max_tokens; the message names both amounts.",
  ),
  overloaded: kind(
    503,
    "upstream",
    true,
    "There are more requests than the models can serve in time.",
    "Wait as long as Retry-After says; lower-priority work is turned away first.",
  ),
  // screen, check
  input_blocked: kind(
    400,
    "policy",
    false,
    "A guard blocked the input.",
    "Remove the content of the kind named in the message.",
  ),
  output_blocked: kind(
    502,
    "policy",
    false,
    "A guard blocked every answer.",
    "Rephrase the request; the record says which guard and why.",
  ),
  guard_failed: kind(
    503,
    "weir",
    true,
    "A guard could not run, and this use case does not run without it.",
    "Retry; if it lasts, an operator should look at the guard named in the record.",
  ),
  // route, serve
  translation_loss: kind(
    400,
    "caller",
    false,
    "No model takes this request without losing part of it.",
    "Leave out the fields named in the message, or allow the loss by leaving out x-weir-strict.",
  ),
  nothing_eligible: kind(
    503,
    "policy",
    false,
    "No model is allowed to serve this request.",
    "Constraints on region, data class or conditions leave no rung; the record lists the reasons.",
  ),
  ladder_exhausted: kind(
    502,
    "upstream",
    true,
    "Every rung of the ladder failed.",
    "Retry; the record lists each attempt.",
  ),
  deadline_exceeded: kind(504, "upstream", true, "No answer came in time.", "Retry, or ask for less."),
  upstream_rejected: kind(
    400,
    "caller",
    false,
    "The model's vendor refused the request as invalid.",
    "Correct the request as the vendor's message says.",
  ),
  stream_broken: kind(502, "upstream", true, "The vendor's stream broke off.", "The answer is incomplete; retry."),
  client_gone: kind(
    499,
    "caller",
    true,
    "The client went away before the answer was complete.",
    "Nothing to do; what had been used is recorded.",
  ),
  // settle
  record_unavailable: kind(
    503,
    "weir",
    true,
    "The record cannot be written, and nothing is served unrecorded.",
    "Retry; an operator should look at the journal's disk.",
  ),
  draining: kind(503, "weir", true, "This server is shutting down.", "Retry; another instance will answer."),
  internal: kind(500, "weir", true, "Weir has a fault.", "Retry; report the decision id if it lasts."),
  // outcomes, admin
  unknown_decision: kind(
    404,
    "caller",
    false,
    "There is no such decision for this key.",
    "Check the decision id and the tenant of the key.",
  ),
  outcome_conflict: kind(
    409,
    "caller",
    false,
    "Another outcome with this id is already stored.",
    "Send a new outcome id, or the same body.",
  ),
  not_signed_in: kind(401, "caller", false, "You are not signed in.", "Sign in at /console."),
  sign_in_failed: kind(
    401,
    "caller",
    true,
    "Name, password or passkey do not match.",
    "Try again, or ask an admin for a new invitation.",
  ),
  role_required: kind(
    403,
    "policy",
    false,
    "Your roles do not allow this.",
    "Ask an admin for the role named in the message.",
  ),
  origin_refused: kind(
    403,
    "caller",
    false,
    "The request does not come from the console.",
    "Send the session's CSRF token from the console's own origin.",
  ),
  content_erased: kind(
    410,
    "policy",
    false,
    "The content was erased.",
    "Its key was destroyed; the proof still holds.",
  ),
  content_not_recorded: kind(
    404,
    "policy",
    false,
    "This decision's content was not recorded.",
    "The use case records digests only.",
  ),
  not_found: kind(404, "caller", false, "There is no such thing.", "Check the name in the address."),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** An expected no: a value, never thrown by a stage. */
export interface Refusal {
  refused: true;
  code: ErrorCode;
  /** Says what was wrong and where. Never contains a secret, a key or personal data. */
  message: string;
  /** The field, header or path concerned. */
  param?: string;
  /** Honest wait in milliseconds, where waiting helps. */
  retryAfterMs?: number;
}

export function refuse(code: ErrorCode, message?: string, more?: { param?: string; retryAfterMs?: number }): Refusal {
  return { refused: true, code, message: message ?? errorKinds[code].title, ...more };
}

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === "object" && value !== null && (value as Refusal).refused === true;

/** A fault: something that should not happen, thrown. Surfaces show its code and title, never its cause. */
export class WeirError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "WeirError";
    this.code = code;
  }
}

/** The code that a surface shows for a fault: its own where it is in the table, else `internal`. */
export function codeOfFault(fault: unknown): ErrorCode {
  const code = (fault as { code?: unknown } | null)?.code;
  return typeof code === "string" && Object.hasOwn(errorKinds, code) ? (code as ErrorCode) : "internal";
}
