import { resolve } from "node:path";
import type { Command } from "commander";
import { FilesSnapshotStore, declaredConfig, effectiveSnapshot, planConfig, printPlan } from "../config/index.ts";
import { readConfig, withConfig, withData } from "./options.ts";

const noSecrets = { env: () => undefined, file: () => undefined };

export function addPlan(program: Command): void {
  withData(
    withConfig(program.command("plan").description("what applying the configuration would change, and its impact")),
  )
    .option("--activate [use-cases...]", "as with apply --activate")
    .action(async (options: { config: string; data: string; activate?: boolean | string[] }) => {
      const { compiled } = readConfig(options.config, { missingSecrets: "warning" });
      const store = new FilesSnapshotStore(resolve(options.data));
      const current = await effectiveSnapshot(store, { secrets: noSecrets, missingSecrets: "warning" });
      const base = current && { serving: current.compiled, declared: await declaredConfig(store, current.record) };
      process.stdout.write(`${printPlan(planConfig(base, compiled, options.activate ?? false))}\n`);
    });
}
