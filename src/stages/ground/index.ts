/**
 * Retrieval: passages of the use case's collection that this caller may read, for the models below and for citations.
 * Filtered by rights before ranking. Retrieved text passes the same guards as input, and can raise the data class.
 * It never answers itself.
 */
export { createGround } from "./ground.ts";
