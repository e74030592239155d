import { describe, expect, it } from "vitest";
import { dir, node, open } from "../../../tests/faults/ledger-fixture.ts";
import { aChatResponse, aDecision } from "../../../tests/fixtures/decision.ts";
import { MemoryFiles } from "../../stores/files/memory-files.ts";
import { settledContent, settledMeta } from "./meta.ts";
import { createReplay } from "./replay.ts";

const said = { type: "chat" as const, response: aChatResponse("as it was") };

async function setUp() {
  const files = new MemoryFiles();
  const ledger = await open(files);
  const d = aDecision({
    clock: ledger.clock,
    with: { begun: true, model: "large", subject: "s".repeat(26), idempotency: { key: "k", body: "b" } },
  });
  const begun = ledger.journal.append({ kind: "begun", tenant: "retail", decision: d.id, meta: {} });
  const key = { tenant: "retail", subject: d.subject! };
  const settled = ledger.journal.append({
    kind: "settled",
    tenant: "retail",
    decision: d.id,
    meta: settledMeta(d, { state: "answered" }),
    content: { key, value: settledContent(d, said, (text) => text) },
  });
  await settled.durable();
  return { d, begun, settled, key, ledger, replay: createReplay({ ledger: { dir, files, node }, keys: ledger.keys }) };
}

describe("replay", () => {
  it("gives the same answer again, marked, under the earlier decision's id", async () => {
    const { d, settled, replay, ledger } = await setUp();
    const answer = await replay(aDecision(), { decision: d.id, seq: settled.seq });
    expect(answer).toMatchObject({
      decision: d.id,
      outcome: said,
      replayed: true,
      settled: { use_case: "assistant", state: "answered", model: "large", attempts: 0 },
    });
    await ledger.journal.close();
  });

  it("says that the content was erased once its key is destroyed", async () => {
    const { d, settled, replay, ledger, key } = await setUp();
    for (const id of await ledger.keys.keysOf(key)) await ledger.keys.destroy(id);
    expect(await replay(aDecision(), { decision: d.id, seq: settled.seq })).toMatchObject({
      outcome: { type: "refused", refusal: { code: "content_erased" } },
    });
    await ledger.journal.close();
  });

  it.each([
    ["another decision's entry", 0, true],
    ["no entry", 99, false],
  ])("never answers from %s", async (_what, seq, exists) => {
    const { d, replay, ledger } = await setUp();
    const id = exists ? aDecision().id : d.id;
    await expect(replay(aDecision(), { decision: `${id.slice(0, -1)}z` as typeof id, seq })).rejects.toThrow(
      /no settled entry/,
    );
    await ledger.journal.close();
  });
});
