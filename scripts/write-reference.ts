/** `npm run reference`: writes the reference pages that are made from code. A test compares them. */
import { writeFileSync } from "node:fs";
import { referencePages } from "../tests/fixtures/reference-pages.ts";

for (const [path, text] of Object.entries(referencePages()))
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
