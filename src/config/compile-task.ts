/** What a use case that embeds, ranks or moderates can't have: parts that only a chat's or a score's answer gives a meaning. */
import { isPool, memberName, rungTarget } from "./compile-ladder.ts";
import { type Declaration, unknownName } from "./declaration.ts";
import type { RungConfig, UseCaseConfig } from "./schema-use-case.ts";
import type { Path } from "./yaml-source.ts";

const meaningless = {
  prompt: "there is no conversation for a prompt to open",
  ground: "nothing is answered from documents",
  check: "its answer holds no text that a guard could read",
  decide: "its answer holds nothing that a rule could ask about",
  cache: "its answers are not kept",
} as const;

type Part = keyof typeof meaningless;

const isThere = (config: UseCaseConfig, part: Part): boolean => {
  const value = config[part];
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
};

/** A feature contract is refused where contracts are compiled. */
export function checkTask(declaration: Declaration, name: string, detectors: readonly string[] | undefined): void {
  const config = declaration.config.use_cases[name]!;
  const path: Path = ["use_cases", name];
  if (config.kind === "moderate") checkDetect(declaration, path, config.detect ?? [], detectors);
  else if (config.detect)
    declaration.report([...path, "detect"], `detectors are the answer of moderate, this is ${config.kind}`, {
      key: true,
      fix: "remove `detect`; guards go into `screen`",
    });
  if (config.kind === "chat" || config.kind === "score") return;
  for (const part of Object.keys(meaningless) as Part[]) {
    if (!isThere(config, part)) continue;
    declaration.report([...path, part], `${config.kind}: ${meaningless[part]}`, {
      key: true,
      fix: `remove \`${part}\``,
    });
  }
  checkLadder(declaration, path, config);
  if (config.kind === "embed") warnOfMixedVectors(declaration, path, config);
}

/** What one model embedded is found again by its own vectors only. */
function warnOfMixedVectors({ config, report }: Declaration, path: Path, { ladder }: UseCaseConfig): void {
  const named = (rung: RungConfig): string[] => {
    if (typeof rung !== "string" && ("template" in rung || "refer" in rung)) return [];
    const names = isPool(rung) ? rung.pool.map(memberName) : [rung];
    return names.flatMap((name) => {
      const model = config.models[rungTarget(config, name)?.model ?? ""];
      return model && "vendor" in model ? [model.model] : [];
    });
  };
  const models = [...new Set(ladder.flatMap(named))];
  if (models.length < 2) return;
  const message = `vectors of different models can't be compared: ${models.join(", ")} would be mixed in one index`;
  report([...path, "ladder"], message, { severity: "warning", fix: "name one model, at several vendors if need be" });
}

function checkDetect(
  declaration: Declaration,
  path: Path,
  detect: readonly string[],
  known: readonly string[] | undefined,
): void {
  detect.forEach((name, index) => {
    if (!known || known.includes(name)) return;
    unknownName(declaration, [...path, "detect", index], `detector "${name}"`, name, known, "see the reference");
  });
}

function checkLadder(declaration: Declaration, path: Path, { kind, ladder }: UseCaseConfig): void {
  ladder.forEach((rung, index) => {
    if (typeof rung === "string") return;
    const at: Path = [...path, "ladder", index];
    if ("template" in rung || "refer" in rung) {
      const what = "template" in rung ? "a fixed text" : "a queue of people";
      declaration.report(at, `${what} can't ${kind}`, { fix: "end the ladder with a model" });
    } else if (rung.accept) {
      declaration.report([...at, "accept"], `${kind}: an acceptance check reads a chat's answer`, {
        key: true,
        fix: "remove `accept`",
      });
    }
  });
}
