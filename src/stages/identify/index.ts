/**
 * Decides who is calling: an API key becomes a principal with tenant and environment.
 * Reads only memory; never a store, never a clock slower than the injected one. It doesn't know what is asked:
 * rights belong to `admit`.
 */
export { KeyDirectory } from "./key-directory.ts";
export { KeyAdmin, type KeyBounds } from "./key-admin.ts";
export { openPepper } from "./pepper.ts";
