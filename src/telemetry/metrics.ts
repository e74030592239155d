/**
 * Counters, gauges and histograms in memory, printed in the Prometheus text format (0.0.4). A metric has at most
 * `maxSeries` series: label sets beyond that are counted together, with `other` as the value of every label.
 */

type Labels = Readonly<Record<string, string>>;
type MetricType = "counter" | "gauge" | "histogram";

interface Family {
  name: string;
  help: string;
  type: MetricType;
  labels: readonly string[];
  /** By printed labels. */
  values: Map<string, Count>;
  histograms: Map<string, Histogram>;
}

export interface MetricDescription {
  name: string;
  type: MetricType;
  help: string;
  labels: readonly string[];
}

// From a cache hit to a long stream.
const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const usualMaxSeries = 2000;
const droppedName = "weir_metric_series_dropped_total";

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
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }
  observe(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.counts[i]! += 1;
    this.sum += value;
  }
}

export class Metrics {
  readonly #maxSeries: number;
  readonly #families = new Map<string, Family>();
  readonly #gauges: (MetricDescription & { read: () => Iterable<readonly [Labels, number]> })[] = [];
  readonly #dropped: Counter;

  constructor({ maxSeries = usualMaxSeries }: { maxSeries?: number } = {}) {
    this.#maxSeries = maxSeries;
    this.#dropped = this.counter(
      droppedName,
      "Times that a label set found no room among a metric's series and was counted as `other`.",
      ["metric"],
    );
  }

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    const family = this.#family(name, help, "counter", labels);
    const of = (of: Labels): Count => this.#child(family, family.values, of, () => new Count());
    return Object.assign((labels: Labels, by = 1) => of(labels).add(by), { of });
  }

  /** Answers the histogram of a label set, for whoever observes to keep. `bounds` ascend; default: seconds. */
  histogram(
    name: string,
    help: string,
    labels: readonly string[] = [],
    bounds: readonly number[] = secondsBounds,
  ): (labels: Labels) => Histogram {
    const family = this.#family(name, help, "histogram", labels);
    return (labels) => this.#child(family, family.histograms, labels, () => new Histogram(bounds));
  }

  /** Read when it is printed. */
  gauge(
    name: string,
    help: string,
    read: () => Iterable<readonly [Labels, number]>,
    labels: readonly string[] = [],
  ): void {
    this.#gauges.push({ name, help, type: "gauge", labels, read });
  }

  print(): string {
    const lines: string[] = [];
    for (const { name, help, read } of this.#gauges) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
      let room = this.#maxSeries;
      for (const [labels, value] of read()) {
        if (room-- > 0) lines.push(`${name}${braced(printed(labels))} ${value}`);
        else this.#dropped({ metric: name });
      }
    }
    for (const { name, help, type, values, histograms } of this.#families.values()) {
      if (name === droppedName && values.size === 0) continue;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, { value }] of values) lines.push(`${name}${braced(labels)} ${value}`);
      for (const [labels, histogram] of histograms) printHistogram(lines, name, labels, histogram);
    }
    return `${lines.join("\n")}\n`;
  }

  /** Every metric, by name, for the reference page. */
  describe(): MetricDescription[] {
    return [...this.#families.values(), ...this.#gauges]
      .map(({ name, type, help, labels }) => ({ name, type, help, labels }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #family(name: string, help: string, type: MetricType, labels: readonly string[]): Family {
    const family: Family = { name, help, type, labels, values: new Map(), histograms: new Map() };
    this.#families.set(name, family);
    return family;
  }

  #child<Child>(family: Family, children: Map<string, Child>, labels: Labels, make: () => Child): Child {
    const key = printed(labels);
    const known = children.get(key);
    if (known) return known;
    if (children.size < this.#maxSeries || family.name === droppedName) return added(children, key, make());
    this.#dropped({ metric: family.name });
    const other = printed(Object.fromEntries(Object.keys(labels).map((label) => [label, "other"])));
    return children.get(other) ?? added(children, other, make());
  }
}

function added<Child>(children: Map<string, Child>, key: string, child: Child): Child {
  children.set(key, child);
  return child;
}

function printHistogram(lines: string[], name: string, labels: string, { bounds, counts, sum }: Histogram): void {
  const with_ = (le: string) => braced(labels === "" ? `le="${le}"` : `${labels},le="${le}"`);
  let total = 0;
  for (const [i, bound] of bounds.entries()) {
    total += counts[i]!;
    lines.push(`${name}_bucket${with_(String(bound))} ${total}`);
  }
  total += counts[bounds.length]!;
  lines.push(
    `${name}_bucket${with_("+Inf")} ${total}`,
    `${name}_sum${braced(labels)} ${sum}`,
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
