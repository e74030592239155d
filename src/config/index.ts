/**
 * Decides what a configuration means: reads the YAML file, names every problem with its place, compiles the immutable
 * snapshot, keeps applied snapshots and says what a change would do.
 * The only reader of `process.env`. Never opens a connection, never loads a model, never keeps a secret outside the
 * compiled snapshot, and never changes a snapshot that exists.
 */
export { type CompiledConfig, type CompileOptions, type CompileResult, compileConfig, loadConfig } from "./compile.ts";
export type { SecretSource } from "./compile-targets.ts";
export { processSecrets, readEnvironment, type WeirEnvironment } from "./environment.ts";
export { type ConfigFiles, diskFiles, mappedFiles } from "./files.ts";
export { ConfigError, type ConfigProblem, printProblem, printProblems } from "./problem.ts";
export type { Config } from "./schema.ts";
