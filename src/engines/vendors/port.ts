/** What there is to say about a vendor. */
import type { DialectName } from "../../kernel/chat.ts";
import type { VendorQuirks } from "../../kernel/snapshot.ts";

/** What fills `{…}` in a vendor's address. */
export const parameterNames = ["region_code", "resource", "project", "location", "api_version"] as const;
export type ParameterName = (typeof parameterNames)[number];

type AuthScheme = "none" | "bearer" | "aws-sigv4" | "google-service-account" | { header: string };

export interface VendorPreset {
  /** The first one unless another is asked for. */
  dialects: readonly [DialectName, ...DialectName[]];
  /** Absent: the operator says it. `{model}` stays for the call to fill. */
  baseUrl?: string;
  /** Instead of `baseUrl` where the location is `global`. */
  globalBaseUrl?: string;
  query?: string;
  required?: readonly ParameterName[];
  optional?: readonly ParameterName[];
  auth: AuthScheme;
  /** Of bearer keys and the like, another way that it takes. */
  otherAuth?: readonly AuthScheme[];
  /** Works without a key, as servers of one's own do. */
  keyless?: true;
  platform?: "vertex";
  quirks?: Partial<Record<DialectName, VendorQuirks>>;
  /** Values of `anthropic-beta` that it knows. */
  betas?: readonly string[];
  /** The variable in which its own clients look for the key, where one holds it whole. */
  keyEnv?: string;
  docs: string;
}
