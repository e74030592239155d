/**
 * The exact cache and single flight: has this very question been answered for someone with the same rights, under the
 * same bundle and collection? Off unless the use case asks for it, never for scores by default, never for errors,
 * partial answers or pending tool calls. A follower waits for the leader's answer and has its own record.
 */
export { ExactCache } from "./exact-cache.ts";
