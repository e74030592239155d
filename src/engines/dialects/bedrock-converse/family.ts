/** Whose model it is: beyond what Converse unifies, every family has fields of its own. */
import type { VendorQuirks } from "../../../kernel/snapshot.ts";

export type ModelFamily = NonNullable<VendorQuirks["modelFamily"]>;

/** In names and inference profiles (`us.anthropic.claude-…`); the ARN of an application's own profile tells nothing. */
const signs: readonly [RegExp, ModelFamily][] = [
  [/anthropic\.|claude/, "claude"],
  [/amazon\.nova-2/, "nova-2"],
  [/amazon\.nova/, "nova"],
  [/openai\.gpt-oss/, "gpt-oss"],
  [/mistral\./, "mistral"],
  [/cohere\.command/, "command"],
];

export const familyOf = (model: string): ModelFamily | undefined => signs.find(([sign]) => sign.test(model))?.[1];

/** Where a cache point may stand; other families refuse them. */
export function cachesIn(family: ModelFamily | undefined, place: "system" | "messages" | "tools"): boolean {
  if (family === "claude") return true;
  return (family === "nova" || family === "nova-2") && place !== "tools";
}

/** Nova keeps for five minutes only. */
export const cachesAnHour = (family: ModelFamily | undefined): boolean => family === "claude";
