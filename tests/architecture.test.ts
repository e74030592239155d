/**
 * The house's rules of direction, held by its own walk over the imports (tools on the TypeScript compiler API see no
 * files under TypeScript 7 and would pass silently). ARCHITECTURE.md tells the same in words.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

/**
 * Who may import whom: the first pattern that fits a file gives what it may import by value. Type imports may also come
 * from any `port.ts`, and stages read `path/context.ts`, the shape of what accumulates on the way.
 */
const mayImport: readonly [file: RegExp, allowed: readonly RegExp[]][] = [
  [/^kernel\//, [/^kernel\//]],
  [/^retrieval\//, [/^kernel\//, /^retrieval\//]],
  [/^engines\/runtimes\//, [/^kernel\//, /^engines\/runtimes\//, /^retrieval\/index\.ts$/]],
  [/^engines\/tasks\//, [/^kernel\//, /^engines\/tasks\//, /^engines\/dialects\/(body-reader|splice)\.ts$/]],
  [/^engines\/(\w+)\//, [/^kernel\//, /^engines\/$1\//]],
  [/^stores\/files\//, [/^kernel\//, /^stores\/files\//]],
  [/^ledger\//, [/^kernel\//, /^ledger\//, /^stores\/files\/(port|index)\.ts$/]],
  [/^projection\//, [/^kernel\//, /^projection\//]],
  [/^operators\//, [/^kernel\//, /^operators\//]],
  [/^prices\//, [/^kernel\//, /^prices\//]],
  [/^config\//, [/^kernel\//, /^config\//, /^prices\/index\.ts$/, /^engines\/vendors\/index\.ts$/]],
  [/^telemetry\//, [/^kernel\//, /^telemetry\//, /^engines\/detectors\/index\.ts$/]],
  [/^stages\/check\//, [/^kernel\//, /^stages\/check\//, /^stages\/screen\/index\.ts$/]],
  [/^stages\/ground\//, [/^kernel\//, /^stages\/ground\//, /^stages\/screen\/index\.ts$/]],
  [/^stages\/(route|serve)\//, [/^kernel\//, /^stages\/$1\//, /^stages\/reserve\/index\.ts$/]],
  [/^stages\/settle\//, [/^kernel\//, /^stages\/settle\//, /^ledger\/index\.ts$/]],
  [/^stages\/(\w+)\//, [/^kernel\//, /^stages\/$1\//]],
  [/^path\//, [/^kernel\//, /^path\//, /^stages\/\w+\/index\.ts$/, /^ledger\/index\.ts$/]],
  [
    /^stores\/(sqlite|memory)\//,
    [
      /^kernel\//,
      /^stores\//,
      /^ledger\//,
      /^projection\/index\.ts$/,
      /^operators\/index\.ts$/,
      /^stages\/identify\/index\.ts$/,
    ],
  ],
  [
    /^surfaces\/admin\//,
    [
      /^kernel\//,
      /^surfaces\/admin\//,
      /^operators\/index\.ts$/,
      /^projection\/index\.ts$/,
      /^stages\/identify\/index\.ts$/,
    ],
  ],
  [/^surfaces\/gateway\//, [/^kernel\//, /^surfaces\/gateway\//]],
  [/^surfaces\/anthropic\//, [/^kernel\//, /^surfaces\/(anthropic|gateway|openai)\//]],
  [/^surfaces\/([\w-]+)\//, [/^kernel\//, /^surfaces\/$1\//, /^surfaces\/gateway\//]],
  [/^(assemble|assemble-admin|main)\.ts$/, [/./]],
  [/^cli\//, [/^(?!surfaces\/|path\/)/]],
];

const only = (rule: string, files: RegExp, pattern: RegExp) => ({ rule, files, pattern });

/** Things that only one place may do; `files` says which may. */
const reserved = [
  only("process.env is read in config/ only", /^config\//, /\bprocess\.env\b/),
  only(
    "wall clock, timers and randomness come from kernel/clock.ts only",
    /^kernel\/clock\.ts$/,
    /\bDate\.now\(|\bMath\.random\(|\bset(Timeout|Interval)\(|\bperformance\.now\(|\bnew Date\(\)|(?<!clock\.)\brandom(Bytes|UUID|FillSync|Int)\(/,
  ),
  only(
    "outbound connections are opened in stages/serve, telemetry/export and by the command line only",
    /^(stages\/serve|telemetry\/export|cli)\//,
    /\bfrom "undici"|\brequest\b[^;"]*\bfrom "node:https?"|\bfetch\(|\b(net|tls|https?)\.(connect|request|get)\(/,
  ),
];

describe("the direction of imports", () => {
  const files = sourceFiles();
  const imports = files.flatMap((file) => importsOf(file, read(file)));

  it("sees the house", () => {
    expect(files.length).toBeGreaterThan(150);
    expect(imports.length).toBeGreaterThan(500);
  });
  it("holds in every file", () => expect(violations(imports)).toEqual([]));
  it("has no cycle of values", () => expect(cycle(imports)).toBeUndefined());
  it("keeps reserved things in their one place", () =>
    expect(files.flatMap((file) => reservedIn(file, read(file)))).toEqual([]));
  it("resolves every relative import", () =>
    expect(imports.filter(({ to }) => !existsSync(join(root, "src", to)))).toEqual([]));
  it("introduces every folder's index with what it decides and never does", () => {
    const bare = files.filter(
      (file) => file.endsWith("/index.ts") && !/^\/\*\*\n( \*.*\n){2,7} \*\/\n/.test(read(file)),
    );
    expect(bare).toEqual([]);
  });
});

describe("the walk itself can fail", () => {
  const planted = (file: string, text: string) => violations(importsOf(file, text));
  it.each([
    ["kernel/money.ts", 'import { decide } from "../path/decide.ts";'],
    ["engines/dialects/sse.ts", 'import { scan } from "../detectors/index.ts";'],
    ["stages/admit/admit.ts", 'import { createServe } from "../serve/index.ts";'],
    ["surfaces/openai/index.ts", 'import { SqliteIndex } from "../../stores/sqlite/index.ts";'],
    ["path/decide.ts", 'import { createServe } from "../stages/serve/serve.ts";'],
    ["cli/why.ts", 'import { decide } from "../path/decide.ts";'],
    ["stages/route/route.ts", 'export { admit } from "../admit/index.ts";'],
    ["stages/route/route.ts", 'const x = await import("../../stores/sqlite/index.ts");'],
  ])("a bad import planted in %s is found", (file, text) => expect(planted(file, text)).toHaveLength(1));
  it("a planted cycle is found", () => {
    const a = { from: "kernel/a.ts", to: "kernel/b.ts", typeOnly: false };
    expect(cycle([a, { from: "kernel/b.ts", to: "kernel/a.ts", typeOnly: false }])).toBeDefined();
    expect(cycle([a, { from: "kernel/b.ts", to: "kernel/a.ts", typeOnly: true }])).toBeUndefined();
  });
  it.each([
    ["stages/route/route.ts", "const now = Date.now();"],
    ["surfaces/ops/index.ts", "const x = process.env.HOME;"],
    ["ledger/journal.ts", "setTimeout(() => {}, 5);"],
    ["engines/runtimes/port.ts", 'import { Pool } from "undici";'],
    ["telemetry/alerts/alerts.ts", 'import { request as call } from "node:https";'],
  ])("a reserved thing planted in %s is found", (file, text) => expect(reservedIn(file, text)).toHaveLength(1));
});

describe("ARCHITECTURE.md", () => {
  it("lists the stages in the order of decide.ts", () => {
    const source = read("path/decide.ts");
    const called = [...source.matchAll(/path\.(\w+)(?:\.\w+)?\(/g)].map((match) => match[1]!);
    const order = [...new Set(called)].filter((name) => name !== "clock");
    const table = [...readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| +(\d+) +\| `(\w+)` +\|/gm)];
    const stages = table.map((row) => row[2]!);
    expect(table.map((row) => Number(row[1]))).toEqual(stages.map((_, i) => i + 1));
    // `settle` also ends refused requests early in the file; in the table it is the last stage.
    expect(order.filter((name) => name !== "settle")).toEqual(stages.filter((name) => name !== "settle"));
    expect(stages.at(-1)).toBe("settle");
  });
});

function violations(imports: readonly Import[]): string[] {
  return imports.filter((edge) => !allowed(edge)).map(({ from, to }) => `${from} may not import ${to}`);
}

function allowed({ from, to, typeOnly }: Import): boolean {
  if (typeOnly && (to.endsWith("/port.ts") || to.startsWith("kernel/"))) return true;
  if (typeOnly && /^(stages|surfaces)\//.test(from) && /^path\/(context|path)\.ts$/.test(to)) return true;
  // A type names a shape; through an index it binds no code.
  if (typeOnly && to.endsWith("/index.ts")) return true;
  if (dirname(from) === dirname(to)) return true;
  const rule = mayImport.find(([file]) => file.test(from));
  if (!rule) return false;
  const part = rule[0].exec(from)?.[1];
  return rule[1].some((pattern) => new RegExp(pattern.source.replace("$1", part ?? "$1")).test(to));
}

/** Depth-first search for a cycle of value imports; the files on it, or undefined. */
function cycle(imports: readonly Import[]): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (state.get(file) === "done") return undefined;
    if (state.get(file) === "open") return [...trail.slice(trail.indexOf(file)), file];
    state.set(file, "open");
    trail.push(file);
    for (const to of next.get(file) ?? []) {
      const found = visit(to);
      if (found) return found;
    }
    trail.pop();
    state.set(file, "done");
    return undefined;
  };
  for (const file of next.keys()) {
    const found = visit(file);
    if (found) return found;
  }
  return undefined;
}

function reservedIn(file: string, text: string): string[] {
  const code = withoutComments(text);
  return reserved
    .filter(({ files, pattern }) => !files.test(file) && pattern.test(code))
    .map(({ rule }) => `${file}: ${rule}`);
}

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    if (specifier.startsWith("."))
      found.push({ from: file, to: relative(".", join(dirname(file), specifier)), typeOnly });
  };
  const code = withoutComments(text);
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s+)?([^"';]*?)\s*from\s*"([^"]+)"/gm))
    add(match[3]!, match[1] !== undefined || allTypes(match[2]!));
  for (const match of code.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) add(match[1]!, false);
  return found;
}

/** `{ type A, type B }`: every name is a type, so nothing is loaded. */
function allTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith("type "));
}

function read(file: string): string {
  return readFileSync(join(root, "src", file), "utf8");
}

function sourceFiles(): string[] {
  return readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() &&
        entry.name.endsWith(".ts") &&
        !entry.name.endsWith(".test.ts") &&
        !/^(fake|test|sample)-|-(samples|fixture)\.ts$/.test(entry.name),
    )
    .map((entry) => relative(join(root, "src"), join(entry.parentPath, entry.name)))
    .sort();
}
