/**
 * Whether a value fits a JSON Schema, for the part of it that structured output knows: types, enum, const, objects,
 * arrays, bounds, allOf, anyOf, oneOf, not and local references. `pattern` and `format` are not looked at: a client's
 * regular expression would run here for as long as it likes. Work is bounded, whatever the schema says.
 */
type Fields = Record<string, unknown>;

const mostSteps = 20_000;
const deepest = 200;

/** The first thing that does not fit, with its path; `undefined` where all of it does. */
export function schemaProblem(value: unknown, schema: unknown): string | undefined {
  return new Check(schema).problem(value, schema, "$");
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const typeTests: Record<string, (value: unknown) => boolean> = {
  object: isFields,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

class Check {
  readonly #root: unknown;
  #steps = 0;
  #depth = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  problem(value: unknown, schema: unknown, at: string): string | undefined {
    this.#steps += 1;
    if (this.#steps > mostSteps || this.#depth > deepest) return `${at}: the schema is too large to check`;
    this.#depth += 1;
    const problem = this.#problem(value, schema, at);
    this.#depth -= 1;
    return problem;
  }

  #problem(value: unknown, schema: unknown, at: string): string | undefined {
    if (schema === false) return `${at} must not be there`;
    if (!isFields(schema)) return undefined;
    if (typeof schema["$ref"] === "string") {
      const target = this.#resolve(schema["$ref"]);
      if (target === undefined) return `${at}: ${schema["$ref"].slice(0, 80)} is not in the schema`;
      const problem = this.problem(value, target, at);
      if (problem !== undefined) return problem;
    }
    return (
      plainProblem(value, schema, at) ??
      this.#combined(value, schema, at) ??
      (isFields(value) ? this.#object(value, schema, at) : undefined) ??
      (Array.isArray(value) ? this.#array(value, schema, at) : undefined)
    );
  }

  #resolve(ref: string): unknown {
    if (!ref.startsWith("#")) return undefined;
    let target = this.#root;
    for (const part of ref.slice(1).split("/").slice(1)) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      target = isFields(target) && Object.hasOwn(target, name) ? target[name] : undefined;
    }
    return target;
  }

  #combined(value: unknown, schema: Fields, at: string): string | undefined {
    const fits = (one: unknown) => this.problem(value, one, at) === undefined;
    const list = (word: string) => (Array.isArray(schema[word]) ? (schema[word] as unknown[]) : undefined);
    for (const one of list("allOf") ?? []) {
      const problem = this.problem(value, one, at);
      if (problem !== undefined) return problem;
    }
    if (list("anyOf")?.some(fits) === false) return `${at} fits none of anyOf`;
    const one = list("oneOf")?.filter(fits).length;
    if (one !== undefined && one !== 1) return `${at} fits ${one} of oneOf`;
    return schema["not"] !== undefined && fits(schema["not"]) ? `${at} is what it must not be` : undefined;
  }

  #object(value: Fields, schema: Fields, at: string): string | undefined {
    const properties = isFields(schema["properties"]) ? schema["properties"] : {};
    for (const name of Array.isArray(schema["required"]) ? schema["required"] : [])
      if (!Object.hasOwn(value, String(name))) return `${at}.${String(name)} is missing`;
    for (const [name, item] of Object.entries(value)) {
      const own = Object.hasOwn(properties, name);
      const problem = this.problem(item, own ? properties[name] : schema["additionalProperties"], `${at}.${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #array(value: unknown[], schema: Fields, at: string): string | undefined {
    const first = Array.isArray(schema["prefixItems"]) ? (schema["prefixItems"] as unknown[]) : [];
    for (const [index, item] of value.entries()) {
      const problem = this.problem(item, index < first.length ? first[index] : schema["items"], `${at}[${index}]`);
      if (problem !== undefined) return problem;
    }
    return outside(value.length, schema["minItems"], schema["maxItems"])
      ? `${at} has ${value.length} items`
      : undefined;
  }
}

function plainProblem(value: unknown, schema: Fields, at: string): string | undefined {
  const types = [schema["type"] ?? []].flat() as unknown[];
  if (types.length > 0 && !types.some((type) => typeTests[String(type)]?.(value)))
    return `${at} is no ${types.join(" or ")}`;
  if (Array.isArray(schema["enum"]) && !schema["enum"].some((one) => same(one, value))) return `${at} is not in enum`;
  if (Object.hasOwn(schema, "const") && !same(schema["const"], value)) return `${at} is not the constant`;
  if (typeof value === "string" && outside([...value].length, schema["minLength"], schema["maxLength"]))
    return `${at} has a length that is not allowed`;
  if (typeof value === "number") {
    if (outside(value, schema["minimum"], schema["maximum"])) return `${at} is out of range`;
    const { exclusiveMinimum: above, exclusiveMaximum: below } = schema;
    if ((typeof above === "number" && value <= above) || (typeof below === "number" && value >= below))
      return `${at} is out of range`;
  }
  return undefined;
}

const outside = (value: number, least: unknown, most: unknown): boolean =>
  (typeof least === "number" && value < least) || (typeof most === "number" && value > most);

const same = (one: unknown, other: unknown): boolean => one === other || JSON.stringify(one) === JSON.stringify(other);
