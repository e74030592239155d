/**
 * Retrieval: passages of the use case's collection that this caller may read, for the models below and for citations.
 * Filtered by rights before ranking. Retrieved text passes the blocking guards of the input: a passage that one of them
 * stops is left out, and the verdict says so. It never answers itself.
 */
export { createGround } from "./ground.ts";
