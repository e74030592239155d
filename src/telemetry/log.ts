/** One JSON line per event on stderr. Faults are logged with name, message and stack; never with request content. */
import type { Clock } from "../kernel/clock.ts";

export interface Log {
  info(message: string, fields?: Record<string, string | number | boolean>): void;
  warn(message: string, fields?: Record<string, string | number | boolean>): void;
  fault(message: string, fault: unknown, fields?: Record<string, string | number | boolean>): void;
}

export function createLog(clock: Clock, write: (line: string) => void): Log {
  const line = (level: string, message: string, fields: Record<string, unknown> = {}) =>
    write(`${JSON.stringify({ at: new Date(clock.now()).toISOString(), level, message, ...fields })}\n`);
  return {
    info: (message, fields) => line("info", message, fields),
    warn: (message, fields) => line("warn", message, fields),
    fault(message, fault, fields) {
      const known =
        fault instanceof Error
          ? { name: fault.name, detail: fault.message, stack: fault.stack ?? "" }
          : { detail: String(fault) };
      line("error", message, { ...fields, ...known });
    },
  };
}
