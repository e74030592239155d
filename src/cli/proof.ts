import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { dataPaths, readEnvironment } from "../config/index.ts";
import { systemClock } from "../kernel/clock.ts";
import { isDecisionId } from "../kernel/ids.ts";
import { buildProof, openFileKek, openKeyRing } from "../ledger/index.ts";
import { nodeFiles } from "../stores/files/index.ts";
import { openControlPlane } from "./control-plane.ts";
import { entriesOf, ledgerDir } from "./ledger-access.ts";
import { withData } from "./options.ts";

export function addProof(program: Command): void {
  withData(program.command("proof").description("write a proof bundle of one decision; anyone can check it offline"))
    .argument("<decision>")
    .requiredOption("--out <file>", "where to write it")
    .option("--content", "disclose this decision's content in it (recorded as an act)")
    .action(async (decision: string, options: { data: string; out: string; content?: boolean }) => {
      if (!isDecisionId(decision)) throw new Error("that is no decision id");
      const found = await entriesOf(options.data, decision);
      if (!found) throw new Error(`${decision} is not in the ledger of ${options.data}`);
      const base = { dir: ledgerDir(options.data), files: nodeFiles, node: found.node, entries: found.entries };
      const bundle = options.content ? await disclosed(options.data, decision, base) : await buildProof(base);
      writeFileSync(options.out, `${JSON.stringify(bundle, null, 1)}\n`, { mode: 0o600 });
      process.stdout.write(
        `${options.out}: ${found.entries.length} entries${options.content ? " with content" : ""}\n`,
      );
    });
}

/** Opening content is an act: it is in the ledger before the content is read. */
async function disclosed(data: string, decision: string, base: Omit<Parameters<typeof buildProof>[0], "keys">) {
  const plane = await openControlPlane(resolve(data), "dev");
  try {
    await plane.record({
      act: "content.open",
      operator: plane.actor,
      on: `decision:${decision}`,
      detail: { by: "weir proof --content" },
    });
  } finally {
    await plane.close();
  }
  const paths = dataPaths(resolve(data), readEnvironment().keyFile);
  const kek = await openFileKek({ files: nodeFiles, clock: systemClock, path: paths.keyEncryption });
  const keys = await openKeyRing({ files: nodeFiles, clock: systemClock, dir: paths.ledger, node: "cli", kek });
  try {
    return await buildProof({ ...base, keys });
  } finally {
    await keys.close();
  }
}
