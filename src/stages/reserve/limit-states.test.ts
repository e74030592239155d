import { expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { LimitBook } from "./limit-book.ts";

it("tells what is left of limits and the wait, without counting", async () => {
  const clock = new VirtualClock();
  const book = new LimitBook(clock);
  const scope = { level: "tenant" as const, name: "tenant:t", limits: { requestsPerMinute: 60, tokensPerMinute: 600 } };
  const scopes = [scope];
  for (let n = 0; n < 60; n++) book.take(scopes, 10);
  expect(book.statesOf(scopes)).toEqual([
    { scope: "tenant:t", requests: { left: 0, waitMs: 1000 }, tokens: { left: 0, waitMs: 100 }, running: 60 },
  ]);
  await clock.advance(1500);
  expect(book.statesOf(scopes)).toMatchObject([
    { requests: { left: 1.5, waitMs: 0 }, tokens: { left: 15, waitMs: 0 } },
  ]);
  expect(book.statesOf([{ name: "tenant:other", limits: { requestsPerMinute: 3 } }])).toEqual([
    { scope: "tenant:other", requests: { left: 3, waitMs: 0 }, running: 0 },
  ]);
});
