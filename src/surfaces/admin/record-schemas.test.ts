import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { AttemptMeta, BegunMeta, SettledContent, SettledMeta } from "../../kernel/decision.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { noUsage } from "../../kernel/usage.ts";
import { begunMeta, settledMeta } from "../../projection/entry-samples.ts";
import * as schemas from "./record-schemas.ts";

const attempt: AttemptMeta = {
  n: 1,
  rung: 0,
  slot: "scorecard",
  arm: "champion",
  probability: 1,
  model: "m",
  target: "t",
  region: "eu",
  status: "failed",
  reason: "http_429",
  usage: noUsage,
  price: "p",
  cost_nano_usd: nanoUsd(1),
  held_nano_usd: nanoUsd(2),
  started_at_ms: 1,
  duration_ms: 1,
  ttft_ms: 1,
};
const content: SettledContent = { features: { income: 3, note: null }, messages: [], answer: "x" };

/** Compiles only while the kernel's type fits the schema; unknown keys fail at run time. */
const accepts = <Schema extends z.ZodObject>(schema: Schema, value: z.output<Schema>): boolean =>
  z.strictObject(schema.shape).safeParse(value).success;

describe("schemas of record parts", () => {
  it("accept what the kernel's types allow", () => {
    const begun: BegunMeta = begunMeta;
    const settled: SettledMeta = settledMeta({ stages: { serve: 1 }, digests: { request: "00" } });
    expect(accepts(schemas.begunMeta, begun)).toBe(true);
    expect(accepts(schemas.attemptMeta, attempt)).toBe(true);
    expect(accepts(schemas.settledMeta, settled)).toBe(true);
    expect(accepts(schemas.settledContent, content)).toBe(true);
  });
  it("refuse another state, and a field that is missing", () => {
    expect(schemas.settledMeta.safeParse({ ...settledMeta(), state: "open" }).success).toBe(false);
    expect(schemas.begunMeta.safeParse({ ...begunMeta, risk: undefined }).success).toBe(false);
  });
});
