/**
 * Decides what a configuration means: reads the YAML file, names every problem with its place, compiles the immutable
 * snapshot, keeps applied snapshots and says what a change would do.
 * The only reader of `process.env`. Never opens a connection, never loads a model, never keeps a secret outside the
 * compiled snapshot, and never changes a snapshot that exists.
 */
export { applyConfig, declaredConfig, effectiveSnapshot } from "./apply.ts";
export { type CompiledConfig, loadConfig } from "./compile.ts";
export type { SecretSource } from "./compile-targets.ts";
export { type DataPaths, dataPaths, processSecrets, readEnvironment } from "./environment.ts";
export { FilesSnapshotStore } from "./files-snapshot-store.ts";
export { ConfigError, printProblems } from "./problem.ts";
export { starterFiles } from "./init.ts";
export { configJsonSchema, contractJsonSchema } from "./json-schema.ts";
export { planConfig, printPlan } from "./plan.ts";
export { configReference } from "./reference.ts";
