/** The exact text of a checkpoint note, taken apart. No imports: the console reads notes too. */
const grammar =
  /^((\S+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\nweir-at (\d{1,16})\n)\n((?:— \S+ [A-Za-z0-9+/]+={0,2}\n)+)$/;

export interface NoteParts {
  /** What was signed. */
  text: string;
  origin: string;
  size: number;
  /** Base64 of 32 bytes. */
  root: string;
  atMs: number;
  /** `encoded` is base64 of 4 bytes of key hash and the signature. */
  signatures: { name: string; encoded: string }[];
}

/** Undefined unless it is exactly such a note. */
export function noteParts(note: string): NoteParts | undefined {
  const match = grammar.exec(note);
  if (!match) return undefined;
  const signatures = match[6]!
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, name, encoded] = line.split(" ") as [string, string, string];
      return { name, encoded };
    });
  return {
    text: match[1]!,
    origin: match[2]!,
    size: Number(match[3]),
    root: match[4]!,
    atMs: Number(match[5]),
    signatures,
  };
}
