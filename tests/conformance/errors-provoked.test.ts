/** Every code of the error table is named in quotes by some test, beside those listed here with their reason. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { type ErrorCode, errorKinds } from "../../src/kernel/errors.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Not provoked by any test so far, and why. An entry whose code has got a test must go. */
const notYet: Partial<Record<ErrorCode, string>> = {};

function testFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        path.endsWith(".test.ts") && !path.includes("node_modules") && !path.endsWith("errors-provoked.test.ts"),
    )
    .map((path) => join(root, folder, path));
}

const files = [...testFiles("src"), ...testFiles("tests")];
const texts = files.map((path) => readFileSync(path, "utf8"));
const isNamed = (code: string): boolean => texts.some((text) => new RegExp(`["'\`]${code}["'\`]`).test(text));

const codes = Object.keys(errorKinds) as ErrorCode[];

it("finds tests to look through, and would notice a code that none of them names", () => {
  expect(files.length).toBeGreaterThan(40);
  expect(codes.length).toBeGreaterThan(50);
  expect(isNamed("route_not_found")).toBe(true);
  expect(isNamed(["no", "such", "code"].join("_"))).toBe(false);
});

it("every code is provoked by a test, but for those listed with a reason", () => {
  expect(codes.filter((code) => !isNamed(code) && notYet[code] === undefined)).toEqual([]);
});

it("the list of exceptions is not stale", () => {
  expect(Object.keys(notYet).filter((code) => isNamed(code))).toEqual([]);
});
