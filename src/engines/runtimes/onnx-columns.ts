/** Rows of named features as the columns that a graph takes: NaN stands for null in numbers, "" in categories. */
import type { FeatureValue } from "../../kernel/decision.ts";
import { WeirError } from "../../kernel/errors.ts";
import type { Feature, FeatureContract } from "../../kernel/snapshot.ts";
import { refuseUnfit } from "./feature-rows.ts";

export type FeatureRow = Record<string, FeatureValue>;
/** One per feature, in the contract's order. */
export type Column = Float32Array | string[];

/** Rows for another thread: one buffer for all numbers and listed categories, column after column. */
export interface PackedRows {
  count: number;
  /** Categories as their place in the contract's list, -1 for null. */
  numbers: Float32Array;
  /** Columns of categories whose values are not listed. */
  texts: string[][];
}

export interface RowEncoder {
  /** Throws WeirError for a row that `admit` should never have let through. */
  refuse(row: FeatureRow): void;
  bytesOf(row: FeatureRow): number;
  newColumns(count: number): Column[];
  fill(columns: readonly Column[], rows: readonly FeatureRow[]): void;
  pack(rows: readonly FeatureRow[]): PackedRows;
  unpack(columns: readonly Column[], packed: PackedRows): void;
}

const textBytes = (value: FeatureValue | undefined) => (typeof value === "string" ? 2 * value.length : 0);
const maxFloat32 = 3.4028234663852886e38;

export function createRowEncoder(model: string, contract: FeatureContract): RowEncoder {
  const { features } = contract;
  const checks = features.map(checkOf);
  const listed = features.map(({ type, values }) => type === "category" && values !== undefined);
  const codes = features.map(({ values = [] }) => new Map<unknown, number>(values.map((value, code) => [value, code])));
  const open = features.filter((feature, index) => feature.type === "category" && !listed[index]);
  const fits = (row: FeatureRow): boolean => {
    for (let i = 0; i < features.length; i++) if (!checks[i]!(row[features[i]!.name])) return false;
    let given = 0;
    for (const _name in row) given++;
    return given === features.length;
  };
  return {
    refuse(row) {
      if (fits(row)) return;
      // What passed the quick check needs no words; what did not gets them from the one place that knows them.
      refuseUnfit(model, contract, row);
      const name = features.find(({ name }, index) => !checks[index]!(row[name]))?.name;
      throw new WeirError("internal", `model ${model}: feature ${name} does not fit into 32 bits; narrow its range`);
    },
    bytesOf: (row) => 4 * features.length + open.reduce((sum, { name }) => sum + textBytes(row[name]), 0),
    newColumns: (count) =>
      features.map(({ type }) =>
        type === "category" ? Array.from({ length: count }, () => "") : new Float32Array(count),
      ),
    fill(columns, rows) {
      for (let i = 0; i < features.length; i++) {
        const { name } = features[i]!;
        const column = columns[i]!;
        if (column instanceof Float32Array)
          for (let r = 0; r < rows.length; r++) column[r] = (rows[r]![name] ?? NaN) as number;
        else for (let r = 0; r < rows.length; r++) column[r] = (rows[r]![name] ?? "") as string;
      }
    },
    pack(rows) {
      const count = rows.length;
      const numbers = new Float32Array((features.length - open.length) * count);
      const texts: string[][] = [];
      let at = 0;
      for (let i = 0; i < features.length; i++) {
        const { name, type } = features[i]!;
        if (listed[i]) for (const row of rows) numbers[at++] = codes[i]!.get(row[name]) ?? -1;
        else if (type === "category") texts.push(rows.map((row) => (row[name] ?? "") as string));
        else for (const row of rows) numbers[at++] = (row[name] ?? NaN) as number;
      }
      return { count, numbers, texts };
    },
    unpack(columns, { count, numbers, texts }) {
      let at = 0;
      let text = 0;
      for (let i = 0; i < features.length; i++) {
        const column = columns[i]!;
        const { values = [] } = features[i]!;
        if (column instanceof Float32Array) column.set(numbers.subarray(at, at + count));
        else if (listed[i]) for (let r = 0; r < count; r++) column[r] = values[numbers[at + r]!] ?? "";
        else for (let r = 0; r < count; r++) column[r] = texts[text]![r]!;
        if (column instanceof Float32Array || listed[i]) at += count;
        else text++;
      }
    },
  };
}

/** Whether a value may go to the graph; the contract's own check says why not. */
function checkOf({ type, values, min = -Infinity, max = Infinity, nullable }: Feature): (value: unknown) => boolean {
  if (type === "category") {
    const known = values && new Set<unknown>(values);
    return (value) =>
      value === null
        ? nullable
        : typeof value === "string" && value !== "" && (known === undefined || known.has(value));
  }
  const integer = type === "integer";
  const least = Math.max(min, -maxFloat32);
  const most = Math.min(max, maxFloat32);
  return (value) =>
    value === null
      ? nullable
      : typeof value === "number" && value >= least && value <= most && (!integer || Number.isSafeInteger(value));
}
