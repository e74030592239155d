/**
 * Who holds a lock file: pid alone is not enough, since a restarted container gets the same pid again and again.
 * On Linux the process's start time (ticks since boot) and the boot id tell it from its predecessors.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

interface Holder {
  pid: number;
  host: string;
  boot: string;
  started: string;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // Not Linux, or the process is gone: the caller falls back to the bare pid check.
    return otherwise;
  }
}

/** Field 22 of /proc/<pid>/stat; the command name before it may hold spaces and parentheses. */
function startTimeOf(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`, "");
  return stat === "" ? "" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "");
}

const bootId = (): string => readOr("/proc/sys/kernel/random/boot_id", "");

export function lockText(): Uint8Array {
  const holder = { pid: process.pid, host: hostname(), boot: bootId(), started: startTimeOf(process.pid) };
  const text = Object.entries(holder).map(([name, value]) => `${name} ${value}\n`);
  return new TextEncoder().encode(text.join(""));
}

function parse(text: string): Holder {
  const fields = new Map(text.split("\n").map((line) => line.split(" ", 2) as [string, string]));
  const field = (name: string): string => fields.get(name) ?? "";
  return { pid: Number(field("pid")), host: field("host"), boot: field("boot"), started: field("started") };
}

/** Says "alive" whenever it can't be sure: a wrong "dead" lets two writers into one journal. */
export function holderIsAlive(text: string, heldByThisProcess: boolean): boolean {
  const holder = parse(text);
  if (!Number.isInteger(holder.pid) || holder.pid <= 0) return false;
  if (holder.host !== hostname()) return true;
  if (holder.boot !== "" && holder.boot !== bootId()) return false;
  if (holder.pid === process.pid && holder.started === startTimeOf(process.pid)) return heldByThisProcess;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return holder.started === "" || holder.started === startTimeOf(holder.pid);
}
