/** Texts in parts that stand side by side: a model reads them as one, whoever wrote them may have meant each by itself. */
import type { Found, Scanner } from "./guard.ts";

/** What stands in the parts together and what stands in one of them alone, at the places of the joined text. */
export function scanTogether(
  scanner: Scanner,
  parts: readonly string[],
  wanted: ReadonlySet<string>,
): readonly Found[] {
  const together = scanner.scan(parts.join(""), wanted);
  const alone: Found[] = [];
  let from = 0;
  let at = 0;
  for (const part of parts) {
    for (const found of scanner.scan(part, wanted)) {
      const start = from + found.start;
      const end = from + found.end;
      // Both lists are in order and don't overlap in themselves: one walk tells what stands in neither twice.
      while (at < together.length && together[at]!.end < end) at++;
      const around = together[at];
      if (around === undefined || around.start > start) alone.push({ ...found, start, end });
    }
    from += part.length;
  }
  return alone.length === 0 ? together : [...together, ...alone].sort((a, b) => a.start - b.start);
}

/** The parts without what is found: its mark stands in the part where it begins, and the next ones lose the rest. */
export function redactTogether(scanner: Scanner, parts: readonly string[], wanted: ReadonlySet<string>): string[] {
  const found = scanTogether(scanner, parts, wanted);
  const text = parts.join("");
  let at = 0;
  const copy = (to: number): string => {
    const copied = text.slice(at, to);
    at = Math.max(at, to);
    return copied;
  };
  let next = 0;
  let end = 0;
  return parts.map((part) => {
    end += part.length;
    let rest = "";
    for (let one = found[next]; one !== undefined && one.start < end; one = found[++next]) {
      rest += copy(one.start) + scanner.redact("", [{ ...one, start: 0, end: 0 }]);
      at = Math.max(at, one.end);
    }
    return rest + copy(end);
  });
}

interface TextItem {
  type: "text";
  text: string;
  refusal?: unknown;
}

/** The lists of two and more text parts that stand side by side. */
export function textsSideBySide(items: readonly unknown[]): TextItem[][] {
  const runs: TextItem[][] = [];
  let run: TextItem[] = [];
  for (const item of items) {
    if (!isTextItem(item)) run = [];
    else if (run[0] === undefined || run[0].refusal !== item.refusal) run = [item];
    else if (run.push(item) === 2) runs.push(run);
  }
  return runs;
}

const isTextItem = (item: unknown): item is TextItem =>
  typeof item === "object" &&
  item !== null &&
  (item as { type?: unknown }).type === "text" &&
  typeof (item as { text?: unknown }).text === "string";
