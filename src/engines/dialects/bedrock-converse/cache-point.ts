import type { CacheMark } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { type ModelFamily, cachesAnHour } from "./family.ts";

/** The block that ends what is kept; none, and named, where this model keeps nothing there. */
export function cachePoint(
  mark: CacheMark,
  possible: boolean,
  family: ModelFamily | undefined,
  dropped: Set<string>,
): Fields[] {
  if (!possible) {
    dropped.add("cache_control");
    return [];
  }
  const hour = mark === "1h";
  if (hour && !cachesAnHour(family)) dropped.add("cache_control.ttl");
  return [{ cachePoint: { type: "default", ...(hour && cachesAnHour(family) && { ttl: "1h" }) } }];
}
