import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { type ProofBundle, type Verification, checkProof, verifyStore } from "../ledger/index.ts";
import { nodeFiles } from "../stores/files/index.ts";
import { ledgerDir } from "./ledger-access.ts";
import { withData } from "./options.ts";

interface VerifyCommand {
  data: string;
  checkpoint?: string;
  key?: string;
  sink?: string[];
  bundle?: string;
}

export function addVerify(program: Command): void {
  withData(
    program
      .command("verify")
      .description("check the whole ledger, or one proof bundle, offline; exit code 1 when something is wrong"),
  )
    .option(
      "--checkpoint <file>",
      "a signed checkpoint that was kept elsewhere: also finds truncation, roll-back and re-signing",
    )
    .option("--key <verifier key>", "the log's public key, kept elsewhere")
    .option("--sink <folders...>", "folders that checkpoints were published to")
    .option("--bundle <file>", "check this proof bundle instead of the store")
    .action(async (options: VerifyCommand) => {
      process.exitCode = (await (options.bundle === undefined
        ? verifyAll(options)
        : verifyBundle(options.bundle, options.key)))
        ? 0
        : 1;
    });
}

async function verifyAll(options: VerifyCommand): Promise<boolean> {
  const dir = ledgerDir(options.data);
  if (!existsSync(dir)) throw new Error(`${dir} does not exist; name the data directory with --data`);
  const verification = await verifyStore({
    dir,
    files: nodeFiles,
    ...(options.checkpoint !== undefined && { saved: lastNote(readFileSync(options.checkpoint, "utf8")) }),
    ...(options.key !== undefined && { publicKey: options.key }),
    ...(options.sink && { sinks: options.sink }),
  });
  process.stdout.write(`${printed(verification)}\n`);
  return verification.ok;
}

/** A saved checkpoint is one note; the file of a sink holds many, of which the last says most. */
const lastNote = (text: string): string => {
  const starts = [...text.matchAll(/^weir\/[^\n]*\n\d+\n/gm)].map((match) => match.index);
  return text.slice(starts.at(-1) ?? 0);
};

function printed({ ok, entries, nodes, findings }: Verification): string {
  const lines = nodes.map(({ node, entries: count, sealed, unsealed, checkpoint }) => {
    const seal = checkpoint
      ? `sealed to ${sealed} by the checkpoint of ${new Date(checkpoint.at_ms).toISOString()}, root ${checkpoint.root.slice(0, 16)}…`
      : "no checkpoint yet";
    return `${node}: ${count} entries, ${seal}${unsealed > 0 ? `, ${unsealed} not yet sealed` : ""}`;
  });
  for (const finding of findings)
    lines.push(`${finding.severity}: ${finding.code} at ${finding.where}: ${finding.message}`);
  lines.push(
    ok
      ? `ok: ${entries} entries verified`
      : `NOT OK: ${findings.filter((finding) => finding.severity === "error").length} errors in ${entries} entries`,
  );
  return lines.join("\n");
}

async function verifyBundle(file: string, key: string | undefined): Promise<boolean> {
  let bundle: ProofBundle;
  try {
    bundle = JSON.parse(readFileSync(file, "utf8")) as ProofBundle;
  } catch {
    throw new Error(`${file} is not readable JSON`);
  }
  const check = await checkProof(bundle, key);
  for (const finding of check.findings)
    process.stdout.write(`${finding.severity}: ${finding.code} at ${finding.where}: ${finding.message}\n`);
  const under = check.checkpoint ? ` under ${check.checkpoint.origin}, size ${check.checkpoint.size}` : "";
  process.stdout.write(
    check.ok ? `ok: ${check.proven} entries proven${under}, content of ${check.disclosed}\n` : "NOT OK\n",
  );
  return check.ok;
}
