/** Which use cases a caller sees as models, and in which version. */
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Snapshot, UseCase } from "../../kernel/snapshot.ts";
import { versionOf } from "./metadata.ts";

export interface V2Ports {
  /** Weir's own version, as server metadata shows it. */
  version: string;
  identify(credential: string | undefined): Principal | Refusal;
  snapshot(): Snapshot;
  /** Whether at least one rung of the use case can answer now. */
  ready(useCase: UseCase): boolean;
}

/** As addressed in the path. */
export interface ModelAddress {
  name: string;
  version: string | undefined;
}

export const mayCall = (principal: Principal, useCase: UseCase): boolean =>
  (useCase.tenants.length === 0 || useCase.tenants.includes(principal.tenant)) &&
  (principal.use_cases.includes("*") || principal.use_cases.includes(useCase.name));

/** Only the bundle that serves now can be addressed. */
export function wrongVersion(useCase: UseCase, version: string | undefined): Refusal | undefined {
  const current = versionOf(useCase);
  if (version === undefined || version === current) return undefined;
  return refuse(
    "not_found",
    `"${useCase.name}" has no version "${version.slice(0, 64)}"; the current and only one is "${current}".`,
    { param: "version" },
  );
}
