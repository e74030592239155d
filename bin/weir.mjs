#!/usr/bin/env node
// The `weir` command on any Node: hands over to the Node that the project brings along.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const node = join(root, "node_modules", ".bin", "node");
const { config } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const command = [...config.node_flags.split(" "), join(root, "src", "cli", "weir.ts"), ...process.argv.slice(2)];
// What Node made of the TypeScript is kept beside the dependencies: the next start is quicker, and the compiler, 30 MB,
// is never loaded. In a folder of our own: whoever can write there can change the program anyway.
const env = { NODE_COMPILE_CACHE: join(root, config.code_cache), ...process.env };
const child = spawn(node, command, { stdio: "inherit", env });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
