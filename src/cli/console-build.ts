import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of the built console; builds it when it isn't there. */
export async function buildConsole(workspace: string): Promise<string> {
  const folder = join(workspace, "dist");
  if (existsSync(join(folder, "index.html"))) return folder;
  process.stderr.write("Building the console (once)…\n");
  const { build } = await import("vite");
  await build({ root: workspace, logLevel: "error" });
  return folder;
}
