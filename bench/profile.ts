/** `node bench/profile.ts <case> [--seconds 6] [--top 40]`: where Weir's main thread spends itself under one case's load. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cases } from "./cases.ts";
import { printedLines, profileCase } from "./where-it-goes.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "6" }, top: { type: "string", default: "40" } },
});
const of = cases.find((one) => one.name === positionals[0]);
if (!of) throw new Error(`name a case: ${cases.map((one) => one.name).join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "weir-profile-"));
try {
  const profile = await profileCase(of, folder, Number(values.seconds));
  const print = (title: string, lines: Parameters<typeof printedLines>[0]) =>
    process.stdout.write(`\n${title}\n${printedLines(lines, Number(values.top)).join("\n")}\n`);
  process.stdout.write(
    `${of.name}: ${profile.cpuUs.toFixed(1)} µs per request under the profiler, main thread ${profile.mainUs.toFixed(1)}; ${profile.completed} requests\n`,
  );
  print("by function, self", profile.byFunction);
  print("by file, self", profile.byFile);
  print("by function, with callees", profile.withCallees);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
