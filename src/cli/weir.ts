/**
 * The `weir` command. Every subcommand stands in a file of its own and returns its exit code; what a command prints for
 * people goes to stderr where it prints data to stdout.
 */
import { Command, CommanderError } from "commander";
import { addApply } from "./apply.ts";
import { addInit } from "./init.ts";
import { addKeys } from "./keys.ts";
import { addOperators } from "./operators.ts";
import { addPlan } from "./plan.ts";
import { addProof } from "./proof.ts";
import { addRoute } from "./route.ts";
import { addSchema } from "./schema.ts";
import { addStart } from "./start.ts";
import { addTraffic } from "./traffic.ts";
import { addValidate } from "./validate.ts";
import { addVerify } from "./verify.ts";
import { addWhy } from "./why.ts";
import { version } from "./version.ts";

const program = new Command("weir")
  .description("The inference platform: one governed path for every AI decision.")
  .version(version)
  .showHelpAfterError()
  .exitOverride();

for (const add of [
  addStart,
  addInit,
  addValidate,
  addPlan,
  addApply,
  addSchema,
  addKeys,
  addOperators,
  addRoute,
  addWhy,
  addVerify,
  addProof,
  addTraffic,
])
  add(program);

try {
  await program.parseAsync();
} catch (fault) {
  if (fault instanceof CommanderError) process.exitCode = fault.exitCode;
  else {
    process.stderr.write(`weir: ${fault instanceof Error ? fault.message : String(fault)}\n`);
    process.exitCode = 1;
  }
}
