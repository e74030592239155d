/** Differences of what stands beside the use cases: process, tenants, vendors, models, slots, guards. */
import { canonicalJson } from "./canonical.ts";
import type { CompiledConfig } from "./compile.ts";
import type { PlanChange } from "./plan.ts";
import { describePrice } from "./plan-price.ts";
import type { SectionName } from "./schema.ts";
import type { PriceConfig } from "./schema-price.ts";

const sections: readonly [Exclude<SectionName, "use_cases">, string][] = [
  ["tenants", "tenant"],
  ["vendors", "vendor"],
  ["models", "model"],
  ["slots", "slot"],
  ["guards", "guard"],
];

export function describeSections(before: CompiledConfig | undefined, after: CompiledConfig): PlanChange[] {
  const process = before
    ? (["server", "ledger", "telemetry", "alerts"] as const).flatMap((section) =>
        fieldChanges(before.config[section], after.config[section]).map((text): PlanChange => ({
          mark: "~",
          subject: section,
          text,
          impact: "at the next start",
        })),
      )
    : [];
  return [...process, ...sections.flatMap(([section, word]) => describeSection(section, word, before, after))];
}

function describeSection(
  section: Exclude<SectionName, "use_cases">,
  word: string,
  before: CompiledConfig | undefined,
  after: CompiledConfig,
): PlanChange[] {
  const old: Record<string, unknown> = before?.config[section] ?? {};
  const now: Record<string, unknown> = after.config[section];
  const removed = Object.keys(old)
    .filter((name) => !Object.hasOwn(now, name))
    .map((name): PlanChange => ({ mark: "-", subject: `${word} ${name}`, text: "removed" }));
  const others = Object.keys(now).flatMap((name): PlanChange[] => {
    const subject = `${word} ${name}`;
    if (!Object.hasOwn(old, name)) return [{ mark: "+", subject, text: "added" }];
    const [was, is] = [withoutPrice(old[name]), withoutPrice(now[name])];
    const texts = [...fieldChanges(was.rest, is.rest), ...fileChanges(before!, after, old[name], now[name])];
    const changes = [...texts.map((text) => ({ text })), ...describePrice(was.price, is.price)];
    return changes.map((change) => ({ mark: "~", subject, ...change }));
  });
  return [...removed, ...others];
}

/** Prices are compared meter by meter. */
function withoutPrice(entry: unknown): { rest: unknown; price: PriceConfig | undefined } {
  const { price, ...rest } = entry as { price?: PriceConfig };
  return { rest, price };
}

/** The same path with another content. */
function fileChanges(before: CompiledConfig, after: CompiledConfig, old: unknown, now: unknown): string[] {
  return (["file", "card"] as const).flatMap((field) => {
    const path = (now as Record<string, string | undefined>)[field];
    if (path === undefined || (old as Record<string, string | undefined>)[field] !== path) return [];
    const [was, is] = [before.artifacts.get(path)?.sha256, after.artifacts.get(path)?.sha256];
    return was === is ? [] : [`content of ${path} ${shortDigest(was)} → ${shortDigest(is)}`];
  });
}

/** `a.b before → after` for every leaf that differs; lists are compared as a whole. */
export function fieldChanges(before: unknown, after: unknown, path = ""): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => fieldChanges(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  const [was, is] = [shown(before), shown(after)];
  return was === is ? [] : [`${path} ${was} → ${is}`];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value for a sentence. */
export function shown(value: unknown): string {
  if (value === undefined) return "none";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(shown).join(", ");
  if (isObject(value) && typeof value.source === "string") return `"${value.source}"`;
  if (isObject(value)) return Object.keys(value).length === 0 ? "none" : canonicalJson(value);
  return String(value);
}

export const shortDigest = (digest: string | undefined): string => (digest === undefined ? "none" : digest.slice(0, 8));
