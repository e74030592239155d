// `npm test`: the static checks, then every test; ends with one plain count. Plain JavaScript: it runs on the Node that
// npm runs on and calls the tools through node_modules/.bin, where the project's own Node stands first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "node_modules", ".bin");
const env = { ...process.env, PATH: bin + delimiter + process.env.PATH };
const scratch = mkdtempSync(join(tmpdir(), "weir-test-"));
const results = join(scratch, "results.json");

const run = (name, command, args) => {
  const started = process.hrtime.bigint();
  const ran = spawnSync(command, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`${ran.status === 0 ? "ok  " : "FAIL"} ${name} (${seconds.toFixed(1)} s)`);
  return ran.status === 0;
};

const checks = [
  ["types", "tsc", ["-p", "tsconfig.json"]],
  ["types of the console", "tsc", ["-p", "console/tsconfig.json"]],
  ["lint", "oxlint", ["--deny-warnings"]],
  ["format", "oxfmt", ["--check"]],
  ["unused code", "knip", []],
  ["console build", "vite", ["build", "console", "--logLevel", "error"]],
];
const only = process.argv.slice(2);
const failedChecks = (only.length > 0 ? [] : checks).filter((check) => !run(...check)).map(([name]) => name);
run("tests", "vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`, ...only]);

let passed = 0;
let failed = failedChecks.length;
let skipped = 0;
try {
  const told = JSON.parse(readFileSync(results, "utf8"));
  passed = told.numPassedTests;
  failed += told.numFailedTests;
  skipped = told.numPendingTests + told.numTodoTests;
  // A file that can't even be loaded has no tests to fail.
  failed += told.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
} catch {
  failed += 1;
  console.log("the tests left no results");
}
rmSync(scratch, { recursive: true, force: true });
passed += (only.length > 0 ? 0 : checks.length) - failedChecks.length;
if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(", ")}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
