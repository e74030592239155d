// Runs before `npm start` and `npm test`, on whatever Node is there (20 or newer), with nothing installed yet: brings the
// locked dependencies when they are not there or no longer fit the lockfile. Plain JavaScript on purpose.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".weir-lock");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const have = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";

if (have !== wanted) {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Node 20 or newer is needed to install Weir; this is ${process.versions.node}.`);
  process.stderr.write("Installing dependencies from the lockfile (once)…\n");
  // Not `npm ci`: it refuses a lockfile when a registry lacks the optional binaries of other platforms. With --no-save
  // the lockfile is followed and never written.
  // Packages ask for newer Nodes than the one that installs; the one that runs comes along as a dependency.
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm ? [process.execPath, npm] : ["npm"];
  const ran = spawnSync(
    command,
    [...args, "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--engine-strict=false"],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (ran.status !== 0) fail("npm install failed; its message stands above. Is the npm registry reachable?");
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
