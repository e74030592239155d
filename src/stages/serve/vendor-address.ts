import type { VendorTarget } from "../../kernel/snapshot.ts";

/** Where a call goes. `{model}` in a base URL stands for the model (Azure's deployments); the vendor's query comes last. */
export function addressOf(
  { baseUrl, query }: Pick<VendorTarget, "baseUrl" | "query">,
  path: string,
  model: string,
): URL {
  const base = baseUrl.includes("{model}") ? baseUrl.replaceAll("{model}", encodeURIComponent(model)) : baseUrl;
  if (query === undefined) return new URL(base + path);
  return new URL(`${base}${path}${path.includes("?") ? "&" : "?"}${query}`);
}
