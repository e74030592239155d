import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { referencePages } from "../fixtures/reference-pages.ts";

it.each(Object.entries(referencePages()))("%s says what the code says (npm run reference writes it)", (path, text) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).toBe(text);
});
