import { resolve } from "node:path";
import type { Command } from "commander";
import { FilesSnapshotStore, applyConfig, printProblems } from "../config/index.ts";
import { systemClock } from "../kernel/clock.ts";
import { openControlPlane } from "./control-plane.ts";
import { readConfig, withConfig, withData } from "./options.ts";

interface ApplyCommand {
  config: string;
  data: string;
  activate?: boolean | string[];
}

export function addApply(program: Command): void {
  withData(
    withConfig(
      program.command("apply").description("make the configuration the next snapshot; a running server takes it over"),
    ),
  )
    .option(
      "--activate [use-cases...]",
      "let changed bundles serve at once (all, or these use cases), until releases exist",
    )
    .action(async (options: ApplyCommand) => {
      const { compiled } = readConfig(options.config);
      const store = new FilesSnapshotStore(resolve(options.data));
      const plane = await openControlPlane(resolve(options.data), compiled.server.environment);
      try {
        // The act is in the ledger before it has an effect; one that then fails is followed by no snapshot.
        await plane.record({
          act: "snapshot.apply",
          operator: plane.actor,
          on: `config:${compiled.snapshot.hash}`,
          detail: { activate: options.activate ?? false },
        });
        const result = await applyConfig(store, compiled, {
          clock: systemClock,
          activate: options.activate ?? false,
          appliedBy: plane.actor.name,
        });
        if (!result.ok) throw new Error(`nothing was applied\n${printProblems(result.problems)}`);
        const { applied, unchanged, activated, waiting } = result;
        process.stdout.write(
          unchanged
            ? `unchanged: snapshot ${applied.number} serves this already\n`
            : `applied: snapshot ${applied.number}, hash ${applied.hash.slice(0, 12)}\n`,
        );
        if (activated.length > 0) process.stdout.write(`now serving: ${activated.join(", ")}\n`);
        if (waiting.length > 0) process.stdout.write(`waiting for a release (or --activate): ${waiting.join(", ")}\n`);
      } finally {
        await plane.close();
      }
    });
}
