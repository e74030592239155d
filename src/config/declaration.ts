/** The main file and its imports, checked against the schema and merged; knows where each entry stands. */
import { posix } from "node:path";
import type { z } from "zod";
import type { ConfigFiles } from "./files.ts";
import { rebase } from "./files.ts";
import { type ConfigProblem, suggestion } from "./problem.ts";
import { type Config, configSchema, importSchema, type SectionName, sectionNames } from "./schema.ts";
import { validateEntries } from "./validate.ts";
import { type Path, type Place, YamlSource } from "./yaml-source.ts";

type Import = z.output<typeof importSchema>;

/** A schema-valid configuration on its way through the compiler, which adds to `problems`. */
export interface Declaration {
  config: Config;
  files: ConfigFiles;
  problems: ConfigProblem[];
  /** Names of entries that do not fit the schema and were left out; that they are missing is no further problem. */
  broken: ReadonlySet<string>;
  /** Adds a problem at a path of the merged configuration, in the file that declares it. */
  report(path: Path, message: string, place?: Place): void;
}

/** Undefined where a file can't be read or does not fit the schema; every problem of every file is in `problems`. */
export function declare(mainFile: string, files: ConfigFiles, problems: ConfigProblem[]): Declaration | undefined {
  const main = open(mainFile, files);
  if (!main) {
    problems.push(missingFile(mainFile));
    return undefined;
  }
  const checked = validateEntries(main, configSchema, sectionNames, problems);
  const owners = new Map<string, YamlSource>();
  const imports = collectImports(main, checked?.value.imports ?? importsOf(main), files, problems);
  if (!checked || imports.some((imported) => !imported.checked)) return undefined;
  const config = structuredClone(checked.value);
  const broken = new Set([checked, ...imports.map((imported) => imported.checked!)].flatMap((part) => part.broken));
  rebaseFiles(config, posix.dirname(mainFile));
  for (const section of sectionNames) {
    for (const name of Object.keys(config[section])) owners.set(`${section}.${name}`, main);
  }
  for (const { source, checked: imported } of imports) {
    const value = structuredClone(imported!.value);
    rebaseFiles(value, posix.dirname(source.file));
    for (const section of sectionNames) mergeSection(section, config, value, source, owners, problems);
  }
  config.imports = [];
  const report: Declaration["report"] = (path, message, place) =>
    void problems.push((owners.get(`${path[0]}.${path[1]}`) ?? main).problem(path, message, place));
  return { config, files, problems, broken, report };
}

function open(path: string, files: ConfigFiles): YamlSource | undefined {
  const bytes = files.read(path);
  return bytes && new YamlSource(path, bytes);
}

const missingFile = (file: string): ConfigProblem => ({
  severity: "error",
  file,
  line: 1,
  column: 1,
  path: "",
  message: "there is no such file",
  fix: "name another file with --config, or write a first one with `weir init`",
});

/** Imports of a main file that is otherwise invalid are still looked at, so that all problems show at once. */
function importsOf(source: YamlSource): string[] {
  const listed = source.valueAt(["imports"]);
  return Array.isArray(listed) ? listed.filter((item) => typeof item === "string") : [];
}

interface Imported {
  source: YamlSource;
  checked: { value: Import; broken: readonly string[] } | undefined;
}

function collectImports(
  from: YamlSource,
  listed: readonly string[],
  files: ConfigFiles,
  problems: ConfigProblem[],
  seen = new Set([from.file]),
): Imported[] {
  return listed.flatMap((item, index) => {
    const path = rebase(posix.dirname(from.file), item);
    if (seen.has(path)) {
      problems.push(from.problem(["imports", index], `"${item}" is imported already`, { fix: "remove this line" }));
      return [];
    }
    seen.add(path);
    const source = open(path, files);
    if (!source) {
      const near = suggestion(path, files.neighbours(path));
      problems.push(from.problem(["imports", index], `there is no file "${path}"`, { fix: near }));
      return [{ source: from, checked: undefined }];
    }
    const checked = validateEntries(source, importSchema, sectionNames, problems);
    return [
      { source, checked },
      ...collectImports(source, checked?.value.imports ?? importsOf(source), files, problems, seen),
    ];
  });
}

function mergeSection(
  section: SectionName,
  into: Config,
  from: Import,
  source: YamlSource,
  owners: Map<string, YamlSource>,
  problems: ConfigProblem[],
): void {
  const target: Record<string, unknown> = into[section];
  for (const [name, value] of Object.entries(from[section])) {
    const owner = owners.get(`${section}.${name}`);
    if (owner) {
      const message = `"${name}" is declared in ${owner.file} already`;
      problems.push(
        source.problem([section, name], message, { key: true, fix: "give it another name, or remove one of both" }),
      );
      continue;
    }
    owners.set(`${section}.${name}`, source);
    target[name] = value;
  }
}

/** Every path in the merged configuration is relative to the main file's folder. */
function rebaseFiles(config: Import & Partial<Pick<Config, "server" | "ledger" | "consents">>, base: string): void {
  const move = (path: string) => rebase(base, path);
  if (config.server?.tls) {
    config.server.tls = { cert: move(config.server.tls.cert), key: move(config.server.tls.key) };
  }
  for (const sink of config.ledger?.checkpoints ?? []) sink.file = move(sink.file);
  if (config.consents !== undefined) config.consents = move(config.consents);
  for (const vendor of Object.values(config.vendors)) {
    for (const key of [vendor.key, ...(vendor.keys ?? [])]) if (key && "file" in key) key.file = move(key.file);
  }
  for (const model of Object.values(config.models)) {
    if (!("file" in model)) continue;
    model.file = move(model.file);
    if (model.card !== undefined) model.card = move(model.card);
  }
  for (const useCase of Object.values(config.use_cases)) {
    if (useCase.prompt !== undefined) useCase.prompt = move(useCase.prompt);
    if (useCase.input !== undefined) useCase.input = move(useCase.input);
    if (useCase.ground) useCase.ground.folder = move(useCase.ground.folder);
  }
}

/** Reports a reference to something that is not declared, with the nearest known name. */
export function unknownName(
  declaration: Declaration,
  path: Path,
  what: string,
  unknown: string,
  known: readonly string[],
  otherwise: string,
): void {
  if (declaration.broken.has(unknown)) return;
  declaration.report(path, `there is no ${what}`, { fix: suggestion(unknown, known) ?? otherwise });
}
