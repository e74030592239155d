/** For tests: one applicant of the bank, and the request that asks for a score of as many as wanted. */
import { applicantContract } from "./fake-house.ts";

export interface Input {
  name: string;
  shape: unknown;
  datatype: string;
  data: unknown;
  parameters?: unknown;
}
export interface Body {
  id?: string;
  inputs: Input[];
  outputs?: unknown;
  parameters?: unknown;
}

export const applicant: Record<string, string | number | null> = {
  Seniority: 9,
  Home: "rent",
  Time: 60,
  Records: "no",
  Job: "freelance",
  Expenses: 73,
  Income: 129.5,
  Assets: null,
  Debt: 0,
  Amount: 800,
  Price: 846,
  Children: 2,
};

const typeOf = new Map(applicantContract().features.map((feature) => [feature.name, feature.type]));
const datatypes = { number: "FP64", integer: "INT64", category: "BYTES" };

export function bodyOf(rows: (typeof applicant)[] = [applicant]): Body {
  return {
    inputs: Object.keys(applicant).map((name) => ({
      name,
      shape: [rows.length, 1],
      datatype: datatypes[typeOf.get(name)!],
      data: rows.map((row) => row[name]),
    })),
  };
}

export const input = (body: Body, name: string): Input => body.inputs.find((tensor) => tensor.name === name)!;
export const infer = "/v2/models/credit/infer";
