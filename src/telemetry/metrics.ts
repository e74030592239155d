/** Counters and histograms in memory, printed in the Prometheus text format (0.0.4). Label sets are bounded by config. */

type Labels = Readonly<Record<string, string>>;

interface Family {
  help: string;
  type: "counter" | "gauge" | "histogram";
  /** By printed labels. */
  values: Map<string, Count>;
  histograms: Map<string, Histogram>;
}

// Seconds. From a cache hit to a long stream.
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** One label set's number. Whoever counts often keeps it: adding then looks nothing up. */
class Count {
  value = 0;
  add(by = 1): void {
    this.value += by;
  }
}

interface Counter {
  (labels: Labels, by?: number): void;
  /** Made, and from then on printed, when it is first asked for. */
  of(labels: Labels): Count;
}

class Histogram {
  readonly counts = new Float64Array(bounds.length + 1);
  sum = 0;
  observe(seconds: number): void {
    let i = 0;
    while (i < bounds.length && seconds > bounds[i]!) i++;
    this.counts[i]! += 1;
    this.sum += seconds;
  }
}

export class Metrics {
  readonly #families = new Map<string, Family>();
  readonly #gauges: { name: string; help: string; read: () => Iterable<readonly [Labels, number]> }[] = [];

  counter(name: string, help: string): Counter {
    const { values } = this.#family(name, help, "counter");
    const of = (labels: Labels): Count => madeOnce(values, labels, () => new Count());
    return Object.assign((labels: Labels, by = 1) => of(labels).add(by), { of });
  }

  /** Answers the histogram of a label set, for whoever observes to keep. */
  histogram(name: string, help: string): (labels: Labels) => Histogram {
    const { histograms } = this.#family(name, help, "histogram");
    return (labels) => madeOnce(histograms, labels, () => new Histogram());
  }

  /** Read when it is printed. */
  gauge(name: string, help: string, read: () => Iterable<readonly [Labels, number]>): void {
    this.#gauges.push({ name, help, read });
  }

  print(): string {
    const lines: string[] = [];
    for (const [name, family] of this.#families) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`);
      for (const [labels, { value }] of family.values) lines.push(`${name}${braced(labels)} ${value}`);
      for (const [labels, histogram] of family.histograms) printHistogram(lines, name, labels, histogram);
    }
    for (const { name, help, read } of this.#gauges) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
      for (const [labels, value] of read()) lines.push(`${name}${braced(printed(labels))} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #family(name: string, help: string, type: Family["type"]): Family {
    const family: Family = { help, type, values: new Map(), histograms: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

function madeOnce<Child>(children: Map<string, Child>, labels: Labels, make: () => Child): Child {
  const key = printed(labels);
  let child = children.get(key);
  if (!child) children.set(key, (child = make()));
  return child;
}

function printHistogram(lines: string[], name: string, labels: string, histogram: Histogram): void {
  const with_ = (le: string) => braced(labels === "" ? `le="${le}"` : `${labels},le="${le}"`);
  let total = 0;
  for (const [i, bound] of bounds.entries()) {
    total += histogram.counts[i]!;
    lines.push(`${name}_bucket${with_(String(bound))} ${total}`);
  }
  total += histogram.counts[bounds.length]!;
  lines.push(
    `${name}_bucket${with_("+Inf")} ${total}`,
    `${name}_sum${braced(labels)} ${histogram.sum}`,
    `${name}_count${braced(labels)} ${total}`,
  );
}

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));

function printed(labels: Labels): string {
  let text = "";
  for (const name in labels) text += `${text === "" ? "" : ","}${name}="${escaped(labels[name]!)}"`;
  return text;
}

const braced = (labels: string): string => (labels === "" ? "" : `{${labels}}`);
