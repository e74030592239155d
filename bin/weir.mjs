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
const child = spawn(node, command, { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
