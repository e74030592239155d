import type { Command } from "commander";
import { readConfig, withConfig } from "./options.ts";

export function addValidate(program: Command): void {
  withConfig(
    program.command("validate").description("check a configuration; every problem with line and column"),
  ).action((options: { config: string }) => {
    const { compiled } = readConfig(options.config, { missingSecrets: "warning" });
    const { snapshot } = compiled;
    process.stdout.write(
      `valid: ${snapshot.useCases.size} use cases, ${snapshot.models.size} models, hash ${snapshot.hash.slice(0, 12)}\n`,
    );
  });
}
