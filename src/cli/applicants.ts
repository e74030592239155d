/** The bank example's held-out applicants, as bodies for `/v1/decisions/credit`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Applicant {
  /** 0-based data row of credit.csv. */
  row: number;
  body: { features: Record<string, number | string | null>; protected: Record<string, number | string | null> };
}

const label = "Status";
const protectedNames = new Set(["Age", "Marital"]);
const categories = new Set(["Home", "Records", "Job", "Marital"]);

/** All rows that the model was not trained on, in the order of the split. */
export function heldOutApplicants(example: string): Applicant[] {
  const [header, ...lines] = readFileSync(join(example, "data", "credit.csv"), "utf8")
    .trim()
    .split(/\r?\n/);
  const names = header!.split(",");
  const { test } = JSON.parse(readFileSync(join(example, "data", "split.json"), "utf8")) as { test: number[] };
  return test.map((row) => {
    const body: Applicant["body"] = { features: {}, protected: {} };
    for (const [i, text] of lines[row]!.split(",").entries()) {
      const name = names[i]!;
      if (name === label) continue;
      const value = text === "NA" ? null : categories.has(name) ? text : Number(text);
      (protectedNames.has(name) ? body.protected : body.features)[name] = value;
    }
    return { row, body };
  });
}
