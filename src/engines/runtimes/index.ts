/**
 * Models that run in this process: `onnx` graphs and `rules` scorecards give scores, `extractive` quotes passages, `detectors`
 * count what they find.
 * Decides how a model file is checked, where its calls run, which of them share a batch, and what it answers. Never
 * opens a connection, never decides what a score means, and never scores a row that its feature contract refuses.
 */
export { createDetectorsRuntime } from "./detectors-runtime.ts";
export { createExtractiveRuntime } from "./extractive-runtime.ts";
export { createOnnxRuntime } from "./onnx-runtime.ts";
export type { ScoreModel } from "./port.ts";
export { createRulesRuntime } from "./rules-runtime.ts";
