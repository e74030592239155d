/** Names of the labels that printed samples bear, by metric; buckets, sums and counts belong to their histogram. */
export function describeLabels(text: string): Map<string, string[]> {
  const labels = new Map<string, string[]>();
  const histograms = new Set([...text.matchAll(/^# TYPE (\w+) histogram$/gm)].map((match) => match[1]!));
  for (const [, sample = "", inner = ""] of text.matchAll(/^(weir_\w+)(?:\{(.*)\})? \S+$/gm)) {
    const whole = sample.replace(/_(bucket|sum|count)$/, "");
    const names = [...inner.matchAll(/(\w+)="/g)].map((match) => match[1]!).filter((name) => name !== "le");
    labels.set(histograms.has(whole) ? whole : sample, names);
  }
  return labels;
}
