import type { ParameterName } from "./port.ts";

const placeholder = /\{([a-z_]+)\}/g;

/** Fills what is given; other placeholders, `{model}` among them, stay. */
export const fillTemplate = (template: string, values: Partial<Record<ParameterName, string>>): string =>
  template.replaceAll(placeholder, (whole, name) => values[name as ParameterName] ?? whole);
