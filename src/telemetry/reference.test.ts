import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { described, metricsReference } from "./reference.ts";

const metrics = described();

describe("every metric", () => {
  it.each(metrics.map((metric) => [metric.name, metric] as const))("%s", (name, { type, help, labels }) => {
    expect(name).toMatch(/^weir_[a-z][a-z0-9_]*[a-z]$/);
    expect(help).toMatch(/^\S.{10,}\.$/);
    if (type === "counter") expect(name).toMatch(/_total$/);
    else expect(name).not.toMatch(/_total$/);
    if (type === "histogram") expect(name).toMatch(/_seconds$/);
    // Prometheus adds these itself.
    for (const label of labels) expect(["le", "quantile", "job", "instance"]).not.toContain(label);
  });

  it("has a name of its own", () => expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length));
});

it("docs/reference/metrics.md tells of all of them; `npm run reference` writes it", () => {
  const page = readFileSync(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");
  const rows = (text: string) => text.split("\n").filter((line) => line.startsWith("| `weir_"));
  expect(rows(page).map((row) => row.replace(/ +/g, " "))).toEqual(rows(metricsReference()));
});
