/** `weir route`: overrides made on the command line, as a running server's store and journal see them. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { readEntries } from "../../src/ledger/index.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";

const weirPath = fileURLToPath(new URL("../../src/cli/weir.ts", import.meta.url));
const data = mkdtempSync(join(tmpdir(), "weir-route-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

const run = promisify(execFile);
const weir = async (...args: string[]) =>
  (
    await run(process.execPath, [weirPath, ...args, "--data", data]).catch((fault: { stderr: string }) => ({
      stdout: fault.stderr,
    }))
  ).stdout;

it("overrides, lists and clears, and each act is in the journal", async () => {
  const made = await weir(
    "route",
    "override",
    "--exclude",
    "vendor:acme",
    "--use-case",
    "assistant",
    "--for",
    "2h",
    "--reason",
    "outage",
  );
  const id = /^(ovr_[0-9a-f]{16})\texclude\tvendor:acme\tassistant\t/.exec(made)?.[1];
  expect(id).toBeDefined();
  expect(await weir("route", "list")).toContain(id);
  expect(await weir("route", "clear", id!, "--reason", "over")).toBe(`cleared ${id}\n`);
  expect(await weir("route", "list")).toBe("");
  const acts: unknown[] = [];
  for await (const { entry } of readEntries({ dir: join(data, "ledger"), files: nodeFiles, node: "cli" }))
    acts.push(entry.meta);
  expect(acts).toMatchObject([
    { act: "route.override", on: `override:${id}`, detail: { reason: "outage", use_case: "assistant" } },
    { act: "route.clear", on: `override:${id}`, detail: { reason: "over" } },
  ]);
}, 20_000);

it.each([
  [["--for", "2h", "--reason", "x"], "either --force or --exclude"],
  [["--force", "gpt", "--for", "2h", "--reason", "x"], "no target"],
  [["--force", "rung:0", "--for", "2h", "--reason", "x"], "no target"],
  [["--force", "rung:1", "--for", "soon", "--reason", "x"], "no duration"],
])(
  "%j is refused with what to write",
  async (args, message) => {
    expect(await weir("route", "override", ...args)).toContain(message);
  },
  20_000,
);
