/**
 * What of a log line never leaves: credentials, and personal data that detectors know. Log calls are rare, so every
 * text is scanned; what a detector does not know by form is cut by the name of its field.
 */
import { type DetectorName, redact, scan } from "../engines/detectors/index.ts";

const detectors: ReadonlySet<DetectorName> = new Set([
  "card",
  "iban",
  "national-id",
  "card-security-code",
  "secret",
  "email",
  "phone",
]);

/** Credentials whose form the detectors leave to their neighbours: OpenRouter, Groq, xAI, Hugging Face, webhooks, bearers. */
const moreSecrets =
  /\b(?:sk-or-v1-[\w-]{16,}|gsk_\w{20,}|xai-\w{20,}|hf_\w{20,}|pplx-\w{20,}|r8_\w{20,}|whsec_[\w+/=-]{16,}|(?:Bearer|Basic)\s+[\w.~+/=-]{8,})/gi;
/** `//user:password@host` */
const urlCredentials = /(\/\/)[^\s/@:]{1,256}:[^\s/@]{1,256}@/g;
/** Node quotes the text that it could not parse. */
const quotedJson = /, (?:\.{3})?"[\s\S]*?"(?:\.{3})?(?= is not valid JSON)/g;

const longestText = 4000;

export function redactText(text: string): string {
  const short = text.length > longestText ? `${text.slice(0, longestText)}… (${text.length} characters)` : text;
  const cleaned = short
    .replace(quotedJson, ", the text")
    .replace(urlCredentials, "$1[secret]@")
    .replace(moreSecrets, "[secret]");
  const found = scan(cleaned, detectors);
  return found.length === 0 ? cleaned : redact(cleaned, found);
}

/** Fields that hold secrets or content whatever stands in them; numbers and truth values are neither. */
const cutNames =
  /^(?:.*(?:authorization|cookie|password|passwd|secret|api_?key|private_?key|credentials?|access_?token|refresh_?token)|headers?|body|content|prompt|messages|features|answer|request|response|input|output|arguments)$/i;

const deepest = 3;
const mostEntries = 50;

/** A value fit for a log line; what lies too deep, or is no data, is named by its kind only. */
export function redactValue(name: string, value: unknown, depth = 0): unknown {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (value === undefined) return undefined;
  if (cutNames.test(name)) return "[cut]";
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || depth >= deepest) return `[${typeof value}]`;
  if (value instanceof Error) return redactText(`${value.name}: ${value.message}`);
  if (ArrayBuffer.isView(value)) return "[bytes]";
  if (Array.isArray(value)) return value.slice(0, mostEntries).map((item) => redactValue("", item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, mostEntries)
      .map(([key, item]) => [key, redactValue(key, item, depth + 1)]),
  );
}
