/** Offset of the first character that can't be there; the text's length where more was expected. Iterative: any depth. */
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// JSON's own words: U+0020 and above, but for the quotation mark and the backslash.
const plain = /[\u0020\u0021\u0023-\u005b\u005d-\uffff]*/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const space = /[ \t\n\r]*/y;
export function jsonFaultAt(text: string): number {
  let at = 0;
  const open: ("{" | "[")[] = [];
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const skip = () => void take(space);
  // Piece by piece: one expression over a whole string of megabytes overflows the engine's stack.
  const string = (): boolean => {
    if (text[at] !== '"') return false;
    at++;
    do take(plain);
    while (take(escape));
    if (text[at] !== '"') return false;
    at++;
    return true;
  };
  const name = (): boolean => {
    if (!string()) return false;
    skip();
    if (text[at] !== ":") return false;
    at++;
    return true;
  };
  for (;;) {
    skip();
    // a value
    const c = text[at];
    if (c === "{" || c === "[") {
      at++;
      skip();
      if (text[at] === (c === "{" ? "}" : "]")) at++;
      else {
        open.push(c);
        if (c === "{" && !name()) return at;
        continue;
      }
    } else if (c === '"') {
      if (!string()) return at;
    } else if (!take(literal)) return at;
    // after a value
    for (;;) {
      skip();
      const inside = open.at(-1);
      if (inside === undefined) return at;
      if (text[at] === ",") {
        at++;
        skip();
        if (inside === "{" && !name()) return at;
        break;
      }
      if (text[at] !== (inside === "{" ? "}" : "]")) return at;
      at++;
      open.pop();
    }
  }
}
