/** All targets, by subject: one subject is a dialect, or the tasks together. */
import { dialectTargets } from "./dialect-targets.ts";
import type { Target } from "./target.ts";
import { taskTargets } from "./task-targets.ts";

export const allTargets = (): Target[] => [...dialectTargets(), ...taskTargets()];

export const subjectsOf = (targets: readonly Target[]): string[] => [...new Set(targets.map(({ subject }) => subject))];
