/**
 * One line per event on stderr: JSON, or text for people. Faults are logged with name, message and stack and with those
 * of their causes, never with what else an error carries; every text is redacted on its way out.
 */
import type { Clock } from "../kernel/clock.ts";
import { type LogLevel, logLevels } from "./port.ts";
import { redactText, redactValue } from "./redact.ts";

type Fields = Record<string, string | number | boolean>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  fault(message: string, fault: unknown, fields?: Fields): void;
}

export interface LogOptions {
  /** What is below it is not written; default `info`. */
  level?: LogLevel;
  /** Default `json`. */
  format?: "json" | "text";
}

export function createLog(clock: Clock, write: (line: string) => void, options: LogOptions = {}): Log {
  const least = logLevels.indexOf(options.level ?? "info");
  const print = options.format === "text" ? textLine : jsonLine;
  const line = (level: LogLevel, message: string, fields: Record<string, unknown> = {}) => {
    if (logLevels.indexOf(level) < least) return;
    const at = new Date(clock.now()).toISOString();
    const safe = Object.entries(fields).map(([name, value]) => [name, redactValue(name, value)] as const);
    write(print({ at, level, message: redactText(message) }, safe));
  };
  return {
    debug: (message, fields) => line("debug", message, fields),
    info: (message, fields) => line("info", message, fields),
    warn: (message, fields) => line("warn", message, fields),
    fault: (message, fault, fields) => line("error", message, { ...fields, ...toldOf(fault) }),
  };
}

interface Head {
  at: string;
  level: LogLevel;
  message: string;
}
type SafeFields = readonly (readonly [name: string, value: unknown])[];

const jsonLine = (head: Head, fields: SafeFields): string =>
  `${JSON.stringify({ ...head, ...Object.fromEntries(fields) })}\n`;

/** `name=value`, quoted where it is not one plain word; a stack follows on lines of its own. */
function textLine({ at, level, message }: Head, fields: SafeFields): string {
  const shown = fields
    .filter(([name, value]) => name !== "stack" && value !== undefined)
    .map(([name, value]) => ` ${name}=${textOf(value)}`);
  const stack = fields.find(([name]) => name === "stack")?.[1];
  const below =
    typeof stack === "string"
      ? `${stack
          .split("\n")
          .map((each) => `\n  ${plain(each)}`)
          .join("")}`
      : "";
  return `${at} ${level.toUpperCase().padEnd(5)} ${plain(message)}${shown.join("")}${below}\n`;
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w.:/@#+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** Nothing that a terminal would act on, and no line that pretends to be another event. */
// oxlint-disable-next-line no-control-regex
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");

const deepestCause = 4;
const mostFrames = 20;

function toldOf(fault: unknown): Record<string, unknown> {
  if (!(fault instanceof Error)) return { detail: String(fault) };
  const causes = causesOf(fault);
  return {
    name: fault.name,
    detail: fault.message,
    ...codeOf(fault),
    stack: stackOf(fault),
    ...(causes.length > 0 && { causes }),
  };
}

function causesOf(fault: Error): string[] {
  const causes: string[] = [];
  for (let cause = fault.cause; cause !== undefined && causes.length < deepestCause;) {
    const { code } = codeOf(cause);
    const known = cause instanceof Error ? `${cause.name}: ${cause.message}` : typeof cause;
    causes.push(code === undefined ? known : `${known} (${code})`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

const codeOf = (fault: unknown): { code?: string } => {
  const code = (fault as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[\w.-]{1,64}$/.test(code) ? { code } : {};
};

/** Its own head and frames: what V8 prints below the first line of a long message is cut like the message. */
function stackOf(fault: Error): string {
  const frames = (fault.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [`${fault.name}: ${fault.message}`, ...frames.slice(0, mostFrames)].join("\n");
}
