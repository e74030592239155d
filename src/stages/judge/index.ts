/**
 * The decision rule: score and confidence → a result, the next rung, people, or a template. The first rule whose
 * condition holds decides, and the record names it. Before it, a light rung's answer is accepted or climbed past.
 * It never changes a score.
 */
export { createJudge } from "./judge.ts";
