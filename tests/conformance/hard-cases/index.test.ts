/** Every hard case and every acceptance case is shown by a test that exists, or says where it will be. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cases } from "./cases.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const all = [
  ...Array.from({ length: 30 }, (_, i) => String(i + 1)),
  ...Array.from({ length: 12 }, (_, i) => `A${i + 1}`),
];
/** The only ones that may stand without any test. */
const wholly = ["A3"];

const titlesOf = new Map<string, string[]>();
/** Texts that stand before a test's or a group's function. */
function titles(file: string): string[] {
  let found = titlesOf.get(file);
  if (!found) {
    const source = readFileSync(root + file, "utf8");
    const title = /(["`])((?:(?!\1)[^\\\n]|\\.)*)\1,\s*(?:\{[^}]*\},\s*)?(?:async\s*)?(?:\(|\w+\s*=>)/g;
    found = [...source.matchAll(title)].map(([, , text]) => text!.replaceAll(/\\(.)/g, "$1"));
    titlesOf.set(file, found);
  }
  return found;
}

describe("the index of cases", () => {
  it("finds the titles of tests, and would notice one that is gone", () => {
    const own = titles("tests/conformance/hard-cases/index.test.ts");
    expect(own).toContain("the index of cases");
    expect(own).toContain("finds the titles of tests, and would notice one that is gone");
    expect(own.join()).not.toContain("no such test");
  });

  it.each(all)("case %s is there", (id) => {
    const shown = cases[id];
    expect(shown, `case ${id} has no row in cases.ts`).toBeDefined();
    if (shown!.tests.length === 0) expect(wholly, `case ${id} has no test`).toContain(id);
    if (shown!.tests.length === 0) expect(shown!.deferred).toBeTruthy();
  });

  it("names nothing that is no case", () => {
    expect(Object.keys(cases).filter((id) => !all.includes(id))).toEqual([]);
  });

  it.each(Object.entries(cases))("the tests of case %s exist", (_id, { tests }) => {
    const scripts = (JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> })
      .scripts;
    for (const { file, title, script } of tests) {
      expect(existsSync(root + file), `${file} is gone`).toBe(true);
      expect(
        titles(file).some((each) => each.includes(title)),
        `${file} has no test "${title}"`,
      ).toBe(true);
      if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
    }
  });
});
