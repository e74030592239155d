import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { starterFiles } from "../config/index.ts";

export function addInit(program: Command): void {
  program
    .command("init")
    .description("write a commented starter configuration, without any credential")
    .argument("[folder]", "where to write it", ".")
    .action((folder: string) => {
      const paths = Object.keys(starterFiles).map((name) => join(resolve(folder), name));
      const existing = paths.filter((path) => existsSync(path));
      if (existing.length > 0) throw new Error(`${existing.join(", ")} exists already; nothing was written`);
      for (const [name, text] of Object.entries(starterFiles)) {
        const path = join(resolve(folder), name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text, { flag: "wx" });
        process.stdout.write(`${path}\n`);
      }
      process.stderr.write("Next: weir validate, then weir start --config weir.yaml\n");
    });
}
