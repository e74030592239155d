import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import {
  type CompiledConfig,
  FilesSnapshotStore,
  applyConfig,
  processSecrets,
  printProblems,
  readEnvironment,
} from "../config/index.ts";
import { systemClock } from "../kernel/clock.ts";
import { type Running, start } from "../main.ts";
import { createLog } from "../telemetry/index.ts";
import { buildConsole } from "./console-build.ts";
import { greet } from "./example.ts";
import { readConfig, withConfig, withData } from "./options.ts";
import { version } from "./version.ts";

const installed = fileURLToPath(new URL("../../", import.meta.url));

interface StartOptions {
  config: string;
  data: string;
  example?: string;
}

export function addStart(program: Command): void {
  withData(withConfig(program.command("start").description("serve")))
    .option("--example <name>", "serve an example, print its credentials and watch its file (development only)")
    .action(run);
}

async function run(options: StartOptions): Promise<void> {
  const file = options.example === undefined ? options.config : exampleFile(options.example);
  const { compiled, path, root } = readConfig(file);
  mkdirSync(options.data, { recursive: true, mode: 0o700 });
  const store = new FilesSnapshotStore(resolve(options.data));
  await firstSnapshot(store, compiled, options.example !== undefined);
  const consoleDir = compiled.server.console ? await buildConsole(join(installed, "console")) : undefined;
  const { level, format } = compiled.telemetry.log;
  const forPeople = format === "text" || (format === "auto" && process.stderr.isTTY);
  const log = createLog(systemClock, (line) => process.stderr.write(line), {
    level,
    format: forPeople ? "text" : "json",
  });
  const running = await start({
    settings: compiled,
    root,
    dataDir: resolve(options.data),
    keyFile: readEnvironment().keyFile,
    secrets: processSecrets(root),
    clock: systemClock,
    log,
    version,
    example: options.example !== undefined,
    anyPort: options.example !== undefined,
    ...(consoleDir !== undefined && { consoleDir }),
  });
  stopOnSignals(running, log.info);
  if (options.example === undefined)
    log.info("serving", {
      origin: running.origin,
      ops: running.opsOrigin,
      snapshot: running.house.path.snapshot().number,
    });
  else await greet(running, { file: path, store });
}

function exampleFile(name: string): string {
  const file = join(installed, "examples", name, "weir.yaml");
  if (!/^[a-z0-9-]+$/.test(name) || !existsSync(file)) throw new Error(`there is no example "${name}"; try bank`);
  return file;
}

/** The first start applies the file; afterwards only `weir apply` does, except in an example. */
async function firstSnapshot(store: FilesSnapshotStore, compiled: CompiledConfig, example: boolean): Promise<void> {
  const current = await store.current();
  if (current && !example) {
    if (current.declared !== compiled.canonical)
      process.stderr.write(
        `The configuration differs from applied snapshot ${current.number}, which is served; see weir plan.\n`,
      );
    return;
  }
  const result = await applyConfig(store, compiled, { clock: systemClock, activate: true, appliedBy: "weir start" });
  if (!result.ok) throw new Error(printProblems(result.problems));
}

function stopOnSignals(running: Running, info: (message: string) => void): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    info("stopping: no new requests, running ones may end");
    running.stop().then(
      () => process.exit(0),
      (fault: unknown) => {
        process.stderr.write(`weir: stopping failed: ${String(fault)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
