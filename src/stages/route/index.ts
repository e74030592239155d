/**
 * Decides which rungs of the ladder are open to this decision, and says why for each: region, data class, condition,
 * what the request needs, whether the model is there. Assigns the arm (the champion, until releases exist).
 * It never calls a target and never reorders the ladder.
 */
export { createRoute } from "./route.ts";
