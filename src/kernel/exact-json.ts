/** JSON.parse that keeps numbers a double can't hold: they become raw JSON, which JSON.stringify writes back digit for digit. */

const withRawNumbers = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
};

/** Only long digit runs and exponents can lose anything; the reviver costs too much to run on every call. */
const suspicious = /\d[\d.]{14}|\d[eE]|-0/;

/** Throws SyntaxError as JSON.parse does. */
export function parseExactly(text: string): unknown {
  if (!suspicious.test(text)) return JSON.parse(text) as unknown;
  return withRawNumbers.parse(text, (_key, value, context) =>
    typeof value === "number" && context.source !== undefined && String(value) !== context.source
      ? withRawNumbers.rawJSON(context.source)
      : value,
  );
}
