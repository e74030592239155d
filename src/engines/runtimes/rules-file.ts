/** Reads a rules file: strict schema, and problems with the line and column where they stand. */
import { isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";

const point = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, "must be lower case words joined by hyphens"),
  when: z.string().min(1),
  /** Added to the score where the condition holds. */
  add: z.number().min(-1).max(1),
  /** What a person is told; without it the condition itself is shown. */
  text: z.string().min(1).optional(),
});

const schema = z.strictObject({
  rules: z.string().min(1),
  version: z.int().min(1),
  output: z.literal("score"),
  base: z.number().min(0).max(1),
  points: z.array(point).min(1),
});

export type RulesFile = z.infer<typeof schema>;
type Path = readonly PropertyKey[];

/** Line and column of the value at a path, for messages about what the schema cannot see. */
export type Locate = (path: Path) => string;

/** Throws an Error that lists every problem, one a line. */
export function readRulesFile(bytes: Uint8Array): { file: RulesFile; locate: Locate } {
  const counter = new LineCounter();
  const document = parseDocument(decode(bytes), { lineCounter: counter });
  const at = (offset: number) => {
    const { line, col } = counter.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const bad = document.errors[0];
  if (bad !== undefined) throw new Error(`${at(bad.pos[0])}: ${bad.message.split("\n")[0]}`);
  const locate: Locate = (path) => {
    for (let length = path.length; length >= 0; length--) {
      const found: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(found) && found.range) return at(found.range[0]);
    }
    return at(0);
  };
  const parsed = schema.safeParse(document.toJS());
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((issue) => `${locate(issue.path)}: ${told(issue)}`).join("\n"));
  refuseTwins(parsed.data, locate);
  return { file: parsed.data, locate };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error("the file is not UTF-8 text; a rules file is YAML", { cause: error });
  }
}

function told(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  return issue.code === "unrecognized_keys"
    ? `${where}unknown key ${issue.keys.join(", ")}`
    : `${where}${issue.message}`;
}

function refuseTwins({ points }: RulesFile, locate: Locate): void {
  const names = new Set<string>();
  points.forEach(({ name }, index) => {
    if (names.has(name)) throw new Error(`${locate(["points", index, "name"])}: the name ${name} is used twice`);
    names.add(name);
  });
}
