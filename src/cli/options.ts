/** Options that several commands share, and the configuration that they name. */
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { type CompiledConfig, ConfigError, loadConfig, printProblems, readEnvironment } from "../config/index.ts";
import { detectorNames } from "../engines/detectors/index.ts";

const environment = readEnvironment();

export const withConfig = (command: Command): Command =>
  command.option("-c, --config <file>", "the main configuration file", environment.configFile);

export const withData = (command: Command): Command =>
  command.option("-d, --data <folder>", "the data directory", environment.dataDir);

export interface Loaded {
  compiled: CompiledConfig;
  path: string;
  root: string;
}

/** Throws with every problem of the file, printed with line and column. */
export function readConfig(file: string, options: { missingSecrets?: "error" | "warning" } = {}): Loaded {
  const path = resolve(file);
  const result = loadConfig(path, { detectors: detectorNames, ...options });
  if (!result.ok) throw new ConfigError(result.problems);
  if (result.warnings.length > 0) process.stderr.write(`${printProblems(result.warnings)}\n`);
  return { compiled: result.compiled, path, root: dirname(path) };
}
