/**
 * Decides what a configuration means: reads the YAML file, names every problem with its place, compiles the immutable
 * snapshot, keeps applied snapshots and says what a change would do.
 * The only reader of `process.env`. Never opens a connection, never loads a model, never keeps a secret outside the
 * compiled snapshot, and never changes a snapshot that exists.
 */
export {
  applyConfig,
  type ApplyOptions,
  type ApplyResult,
  declaredConfig,
  effectiveSnapshot,
  type EffectiveSnapshot,
} from "./apply.ts";
export { type CompiledConfig, type CompileOptions, type CompileResult, compileConfig, loadConfig } from "./compile.ts";
export type { SecretSource } from "./compile-targets.ts";
export { type DataPaths, dataPaths, processSecrets, readEnvironment, type WeirEnvironment } from "./environment.ts";
export { type ConfigFiles, diskFiles, mappedFiles } from "./files.ts";
export { FilesSnapshotStore } from "./files-snapshot-store.ts";
export { MemorySnapshotStore } from "./memory-snapshot-store.ts";
export { type AppliedSnapshot, SnapshotConflict, type SnapshotStore } from "./port.ts";
export { ConfigError, type ConfigProblem, printProblem, printProblems } from "./problem.ts";
export type { Config } from "./schema.ts";
export { starterFiles, writeStarter } from "./init.ts";
export { configJsonSchema, consentsJsonSchema, contractJsonSchema } from "./json-schema.ts";
export { type Plan, type PlanBase, type PlanChange, planConfig, printPlan } from "./plan.ts";
export { configReference } from "./reference.ts";
