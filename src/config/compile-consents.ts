/** The consents file, checked with positions of its own. */
import type { Consent } from "../kernel/snapshot.ts";
import { type Artifacts, pinFile } from "./compile-targets.ts";
import type { Declaration } from "./declaration.ts";
import { suggestion } from "./problem.ts";
import { consentsSchema, dateMs } from "./schema-consents.ts";
import { validate } from "./validate.ts";
import { YamlSource } from "./yaml-source.ts";

export function compileConsents(declaration: Declaration, artifacts: Artifacts): Consent[] {
  const { consents: path, tenants } = declaration.config;
  const file = path === undefined ? undefined : pinFile(declaration, path, ["consents"], artifacts);
  if (!file) return [];
  const source = new YamlSource(file.path, file.bytes());
  const config = validate(source, consentsSchema, declaration.problems);
  return (config?.consents ?? []).map(({ reference, tenant, subject, purposes, from, until }, index) => {
    if (!Object.hasOwn(tenants, tenant) && !declaration.broken.has(tenant)) {
      const fix = suggestion(tenant, Object.keys(tenants));
      declaration.problems.push(
        source.problem(["consents", index, "tenant"], `there is no tenant "${tenant}"`, { fix }),
      );
    }
    const period = { fromMs: dateMs(from)!, untilMs: dateMs(until)! };
    return { reference, tenant, ...(subject === undefined ? {} : { subject }), purposes, ...period };
  });
}
