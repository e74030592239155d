import type { Command } from "commander";
import { configJsonSchema, contractJsonSchema } from "../config/index.ts";

export function addSchema(program: Command): void {
  program
    .command("schema")
    .description("print the JSON Schema of the configuration, for editors")
    .option("--contract", "of feature contracts instead")
    .action((options: { contract?: boolean }) => {
      process.stdout.write(
        `${JSON.stringify(options.contract ? contractJsonSchema() : configJsonSchema(), null, 2)}\n`,
      );
    });
}
