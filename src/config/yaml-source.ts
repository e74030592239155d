/** One YAML file with its positions: parsed once, asked for the place of any path when something is wrong there. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { ConfigProblem } from "./problem.ts";

export type Path = readonly (string | number)[];

export interface Place {
  /** Point at the key instead of the value. */
  key?: boolean;
  /** Offset (UTF-16 code units) into the text value, e.g. of a CEL error. */
  offset?: number;
  severity?: ConfigProblem["severity"];
  fix?: string | undefined;
}

const aliasLimit = 100;

export class YamlSource {
  readonly file: string;
  readonly data: unknown;
  /** What makes the text no YAML; `data` is undefined then. */
  readonly syntaxProblems: readonly ConfigProblem[];
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(file: string, bytes: Uint8Array) {
    this.file = file;
    this.#text = new TextDecoder().decode(bytes);
    this.#document = parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    const faults = [...this.#document.errors, ...this.#document.warnings];
    this.syntaxProblems = faults.map((fault) => this.#at(fault.pos[0], "", fault.message.replace(/\n[\s\S]*/, "")));
    if (faults.length > 0) return;
    try {
      this.data = this.#document.toJS({ maxAliasCount: aliasLimit });
    } catch (error) {
      this.syntaxProblems = [this.#at(0, "", `the file cannot be expanded: ${(error as Error).message}`)];
    }
  }

  problem(path: Path, message: string, place: Place = {}): ConfigProblem {
    const found = this.#find(path);
    const offset = place.key ? (found.key ?? found.value) : (found.value ?? found.key);
    const inner = place.offset === undefined ? 0 : this.#insideText(found.node, place.offset);
    const problem = this.#at((offset ?? 0) + inner, path.join("."), message, place.severity);
    return place.fix === undefined ? problem : { ...problem, fix: place.fix };
  }

  /** The plain value at a path. */
  valueAt(path: Path): unknown {
    let value = this.data;
    for (const part of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
      value = (value as Record<string | number, unknown>)[part];
    }
    return value;
  }

  #at(offset: number, path: string, message: string, severity: ConfigProblem["severity"] = "error"): ConfigProblem {
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length));
    const at = { line: Math.max(1, line), column: Math.max(1, col) };
    const source = this.#text.split("\n")[at.line - 1]?.replace(/\r$/, "") ?? "";
    return { severity, file: this.file, ...at, path, message, source };
  }

  /** Offsets of the deepest part of the path that exists. */
  #find(path: Path): { key?: number; value?: number; node?: Node } {
    let node = this.#resolve(this.#document.contents);
    let found: { key?: number; value?: number; node?: Node } = node ? placed(undefined, node) : {};
    for (const part of path) {
      const pair: Pair<Node, Node | null> | undefined = isMap<Node, Node | null>(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
        : undefined;
      const next = isSeq<Node>(node) ? node.items[Number(part)] : pair?.value;
      if (!pair && !next) return found.key === undefined ? found : { key: found.key, value: found.key };
      found = placed(pair?.key, next ?? undefined);
      node = this.#resolve(next ?? null);
    }
    return node ? { ...found, node } : found;
  }

  #resolve(node: Node | null): Node | undefined {
    return (isAlias(node) ? node.resolve(this.#document) : node) ?? undefined;
  }

  /** Exact only where the text stands in the file as it is; block texts and escapes point at their start. */
  #insideText(node: Node | undefined, offset: number): number {
    if (!isScalar(node) || typeof node.value !== "string" || !node.range) return 0;
    const quote = node.type === "QUOTE_SINGLE" || node.type === "QUOTE_DOUBLE" ? 1 : 0;
    const start = node.range[0] + quote;
    return this.#text.startsWith(node.value, start) ? quote + offset : 0;
  }
}

function placed(key: Node | undefined, value: Node | undefined): { key?: number; value?: number; node?: Node } {
  const keyAt = key?.range?.[0];
  const valueAt = value?.range?.[0];
  return {
    ...(keyAt === undefined ? {} : { key: keyAt }),
    ...(valueAt === undefined ? {} : { value: valueAt }),
    ...(value ? { node: value } : {}),
  };
}
