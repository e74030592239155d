/**
 * Vendors as data: what each speaks, where it listens, how a key is shown to it, and what it refuses of its dialect.
 * A vendor whose models differ in what they refuse is described by what all of them take; the rest is for the operator
 * to declare. Never connects, never reads configuration or secrets, never prices.
 */
export { keyProblem } from "./key-shape.ts";
export { parameterNames } from "./port.ts";
export type { ParameterName, VendorPreset } from "./port.ts";
export { fillTemplate } from "./template.ts";
export { presetNames, presetOf, presetOfDialect } from "./presets.ts";
export type { PresetName } from "./presets.ts";
