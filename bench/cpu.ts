/** CPU time of a process from /proc, user and system, all threads; also by thread name. Linux only. */
import { readFileSync, readdirSync } from "node:fs";

// USER_HZ is 100 on every Linux that Node runs on; the kernel rounds each thread's exact run time down to it.
const tickUs = 10_000;

export interface CpuTime {
  totalUs: number;
  /** Main thread, and the others summed by name. */
  byThread: Record<string, number>;
}

export function cpuTime(pid: number): CpuTime {
  const byThread: Record<string, number> = {};
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const { name, us } = parse(readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1"));
    const label = thread === String(pid) ? "main" : name;
    byThread[label] = (byThread[label] ?? 0) + us;
  }
  return { totalUs: parse(readFileSync(`/proc/${pid}/stat`, "latin1")).us, byThread };
}

/** The name stands in parentheses and may hold anything; utime and stime are the 14th and 15th field (proc_pid_stat(5)). */
function parse(stat: string): { name: string; us: number } {
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  return { name: stat.slice(stat.indexOf("(") + 1, end), us: (Number(fields[11]) + Number(fields[12])) * tickUs };
}

export const residentMb = (pid: number): number =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024);
