import type { Answer, Decision } from "../../path/context.ts";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import { validateFeatures } from "../../kernel/contract.ts";
import type { ConsentRegistry } from "./consent.ts";
import type { Earlier, IdempotencyTable } from "./idempotency.ts";

export interface AdmitOptions {
  consents: ConsentRegistry;
  idempotency: IdempotencyTable;
  /** Keyed pseudonym of a subject reference. */
  pseudonym(tenant: string, subject: string): string;
  /** HMAC-SHA256 under the install's key, hex. */
  digest(data: string | Uint8Array): string;
  /** The earlier answer of a decision, from the ledger. */
  replay(d: Decision, earlier: Earlier): Promise<Answer>;
}

type Check = (d: Decision, options: AdmitOptions) => Refusal | undefined;

const checks: readonly Check[] = [rights, condition, kind, subjectAndPurpose, consent, residency, shape];

export function createAdmit(options: AdmitOptions): (d: Decision) => Refusal | Promise<Answer> | undefined {
  return (d) => {
    for (const check of checks) {
      const no = check(d, options);
      if (no) return no;
    }
    return idempotency(d, options);
  };
}

function rights(d: Decision): Refusal | undefined {
  const { use_cases: granted } = d.principal;
  if (granted.includes("*") || granted.includes(d.useCase.name)) return undefined;
  return refuse("use_case_not_allowed", `This key has no right to the use case "${d.useCase.name}".`);
}

function condition(d: Decision): Refusal | undefined {
  const test = d.useCase.condition;
  if (!test) return undefined;
  const { type, id, tenant, environment, groups } = d.principal;
  let problem = "";
  const variables = {
    principal: { type, id, tenant, environment, groups },
    purpose: d.call.context.purpose ?? "",
    subject_known: d.call.context.subject !== undefined,
    environment,
  };
  if (test.test(variables, (told) => (problem = ` (it could not be evaluated: ${told})`))) return undefined;
  return refuse("condition_not_met", `The use case's condition is not met: ${test.source}${problem}`);
}

function kind(d: Decision): Refusal | undefined {
  if (d.ask.kind === d.useCase.kind) return undefined;
  const routes = {
    chat: "/v1/chat/completions or /v1/messages",
    score: "/v1/decisions/{use_case} or /v2/models",
    embed: "/v1/embeddings",
    rerank: "/v1/rerank or /v2/rerank",
    moderate: "/v1/moderations",
  };
  return refuse(
    "kind_mismatch",
    `"${d.useCase.name}" is a ${d.useCase.kind} use case; call ${routes[d.useCase.kind]}.`,
  );
}

function subjectAndPurpose(d: Decision, options: AdmitOptions): Refusal | undefined {
  const { subject, purpose, session } = d.call.context;
  if (session !== undefined) d.session = options.pseudonym(d.tenant.name, session);
  const { purposes, consent } = d.useCase;
  if (subject !== undefined) d.subject = options.pseudonym(d.tenant.name, subject);
  else if (consent === "required") return refuse("subject_required", undefined, { param: "x-weir-subject" });
  // A use case with one purpose needs no header; what is stated must always be allowed.
  const stated = purpose ?? (purposes.length === 1 ? purposes[0] : undefined);
  if (stated === undefined)
    return purposes.length === 0
      ? undefined
      : refuse("purpose_required", `State one of: ${purposes.join(", ")}.`, { param: "x-weir-purpose" });
  const allowed =
    purposes.includes(stated) && (d.principal.purposes.length === 0 || d.principal.purposes.includes(stated));
  if (!allowed)
    return refuse("purpose_not_allowed", `Purposes allowed here: ${purposes.join(", ") || "none"}.`, {
      param: "x-weir-purpose",
    });
  d.purpose = stated;
  return undefined;
}

function consent(d: Decision, options: AdmitOptions): Refusal | undefined {
  if (d.useCase.consent !== "required") return undefined;
  const { consent: reference, subject } = d.call.context;
  if (!reference) return refuse("consent_required", undefined, { param: "x-weir-consent" });
  const answer = options.consents.covers({
    reference,
    tenant: d.tenant.name,
    subject: subject ?? "",
    purpose: d.purpose ?? "",
    atMs: d.call.startedAtMs,
  });
  if (answer.ok) d.consent = reference;
  return answer.ok
    ? undefined
    : refuse("consent_not_valid", `The consent referred to does not hold: ${answer.why}.`, { param: "x-weir-consent" });
}

/** Where both tenant and use case name regions, only what both allow remains. */
function residency(d: Decision): Refusal | undefined {
  const { residency: tenant } = d.tenant;
  const { regions } = d.useCase;
  if (tenant.length === 0 || regions.length === 0) {
    d.regions = tenant.length > 0 ? tenant : regions;
    return undefined;
  }
  d.regions = tenant.filter((region) => regions.includes(region));
  return d.regions.length > 0
    ? undefined
    : refuse("nothing_eligible", "Tenant and use case allow no region in common.");
}

function shape(d: Decision): Refusal | undefined {
  if (d.ask.kind === "chat") {
    d.request = d.ask.request;
    return undefined;
  }
  if (d.ask.kind !== "score") {
    d.task = d.ask.task;
    return undefined;
  }
  const contract = d.useCase.contract;
  if (!contract) return refuse("internal", "The use case has no feature contract.");
  const valid = validateFeatures(contract, d.ask.input);
  if (!valid.ok) {
    const told = valid.problems
      .slice(0, 5)
      .map((problem) => (problem.feature === "" ? problem.message : `${problem.feature}: ${problem.message}`));
    const more = valid.problems.length > 5 ? ` (and ${valid.problems.length - 5} more)` : "";
    return refuse("invalid_input", told.join("; ") + more, { param: valid.problems[0]?.feature ?? "features" });
  }
  d.features = valid.features;
  if (valid.protectedFeatures) d.protectedFeatures = valid.protectedFeatures;
  return undefined;
}

function idempotency(d: Decision, options: AdmitOptions): Refusal | Promise<Answer> | undefined {
  const key = d.call.context.idempotencyKey;
  if (key === undefined) return undefined;
  if (key.length === 0 || key.length > 255)
    return refuse("invalid_request", "An idempotency key has 1 to 255 characters.", { param: "idempotency-key" });
  const scope = options.digest([d.tenant.name, d.principal.id, d.useCase.name, key].join("\u0000"));
  const body = options.digest(d.ask.body);
  const known = options.idempotency.claim(scope, body, d.id);
  if (isRefusal(known)) return known;
  if (known) return options.replay(d, known);
  d.idempotency = { key: scope, body };
  return undefined;
}
