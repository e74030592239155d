import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decision, type House, openHouse, otherDecision, repaid, unavailable, unknownDecision } from "./fake-house.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const stored = (answer: Awaited<ReturnType<House["post"]>>) => answer.body.outcomes!.map((outcome) => outcome.stored);

describe("an outcome", () => {
  it("becomes an amended entry of its decision", async () => {
    const answer = await house.post({ ...repaid, value: 1.5, observed_at: "2025-12-01T10:00:00+01:00" });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ outcomes: [{ decision_id: decision, outcome_id: "loan-1", stored: true }] });
    expect(house.journal.entries).toEqual([
      {
        kind: "amended",
        tenant: "bank",
        decision,
        meta: {
          amends: "outcome",
          use_case: "credit",
          outcome_id: "loan-1",
          label: "repaid",
          value: 1.5,
          observed_at_ms: Date.UTC(2025, 11, 1, 9),
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          principal: { type: "service", id: "good", credential: "kid_good" },
        },
      },
    ]);
  });

  it("keeps its note out of the metadata, and out of it what may never be recorded", async () => {
    await house.post({ ...repaid, note: "Anna paid, code 123" });
    expect(house.journal.entries[0]!.content).toEqual({
      key: { tenant: "bank" },
      value: { note: "Anna paid, code […]" },
    });
    expect(JSON.stringify(house.journal.meta(0))).not.toContain("Anna");
  });

  it("was observed now where nothing else is said", async () => {
    await house.post(repaid);
    expect(house.journal.meta(0).observed_at_ms).toBe(house.clock.now());
  });

  it("is acknowledged only when it is on disk", async () => {
    house.journal.hold();
    let answered = false;
    const first = house.post(repaid).finally(() => (answered = true));
    const again = house.post(repaid).finally(() => (answered = true));
    while (house.journal.entries.length === 0) await new Promise(setImmediate);
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(answered).toBe(false);
    house.journal.release();
    const answers = await Promise.all([first, again]);
    expect(answers.flatMap(stored).sort()).toEqual([false, true]);
    expect(house.journal.entries).toHaveLength(1);
  });

  it("is not stored where the journal takes nothing, and may be sent again", async () => {
    house.journal.hold();
    const lost = house.post(repaid);
    while (house.journal.entries.length === 0) await new Promise(setImmediate);
    house.journal.release(unavailable());
    expect(await lost).toMatchObject({ status: 503, body: { code: "record_unavailable" } });
    expect(stored(await house.post(repaid))).toEqual([true]);
    expect(house.faults).toEqual([]);
  });
});

describe("the same outcome id again", () => {
  const same = { ...repaid, observed_at: "2025-12-01T10:00:00+01:00", note: "n" };

  it("is a repetition with the same body, in whatever order or zone it is written", async () => {
    expect((await house.post(same)).status).toBe(201);
    const { observed_at: _, ...rest } = same;
    const answer = await house.post({ observed_at: "2025-12-01T09:00:00.000Z", ...rest });
    expect([answer.status, stored(answer)]).toEqual([200, [false]]);
    expect(house.journal.entries).toHaveLength(1);
  });

  it("is a repetition although the time of sending differs", async () => {
    await house.post(repaid);
    await house.clock.advance(60_000);
    expect((await house.post(repaid)).status).toBe(200);
  });

  const changes: Record<string, unknown>[] = [
    { label: "defaulted" },
    { value: 0 },
    { note: "m" },
    { note: undefined },
    { observed_at: "2025-12-01T10:00:01+01:00" },
    { decision_id: otherDecision },
  ];
  it.each(changes)("is a conflict with %j", async (change) => {
    await house.post(same);
    const answer = await house.post({ ...same, ...change });
    expect(answer).toMatchObject({ status: 409, body: { code: "outcome_conflict", param: "outcome_id" } });
    expect(house.journal.entries).toHaveLength(1);
  });

  it("is found in the projection long after this process forgot", async () => {
    await house.post(same);
    house.projected.set("bank/loan-1", house.journal.meta(0).digest);
    await house.clock.advance(3600_000);
    await house.post({ ...repaid, outcome_id: "loan-2" });
    expect((await house.post(same)).status).toBe(200);
    expect((await house.post({ ...same, label: "defaulted" })).status).toBe(409);
    expect(house.journal.entries).toHaveLength(2);
  });

  it("is another tenant's own affair", async () => {
    await house.post(same);
    const theirs = unknownDecision;
    house.decisions.set(theirs, { tenant: "shop", use_case: "credit", environment: "dev", state: "answered" });
    const answer = await house.post({ ...same, decision_id: theirs }, { authorization: "Bearer stranger" });
    expect(answer.status).toBe(201);
  });
});

describe("a batch", () => {
  const batch = (count: number) => Array.from({ length: count }, (_, i) => ({ ...repaid, outcome_id: `loan-${i}` }));

  it("of 500 is stored", async () => {
    const answer = await house.post({ outcomes: batch(500) });
    expect([answer.status, stored(answer).every(Boolean), house.journal.entries.length]).toEqual([201, true, 500]);
  });

  it("says which were stored before, and stores one that it names twice once", async () => {
    await house.post(batch(1)[0]);
    const answer = await house.post({ outcomes: [...batch(2), ...batch(2)] });
    expect([answer.status, stored(answer)]).toEqual([201, [false, true, false, false]]);
    expect(house.journal.entries).toHaveLength(2);
  });

  const bad: [name: string, third: object, status: number, param: string][] = [
    ["malformed", { label: "" }, 400, "outcomes[2].label"],
    ["of an unknown decision", { decision_id: unknownDecision }, 404, "outcomes[2].decision_id"],
    ["contradicted by another", { outcome_id: "loan-0", label: "defaulted" }, 409, "outcomes[2].outcome_id"],
  ];
  it.each(bad)("with one %s is not stored at all", async (_, third, status, param) => {
    const answer = await house.post({ outcomes: [...batch(2), { ...repaid, ...third }, ...batch(2)] });
    expect(answer).toMatchObject({ status, body: { param } });
    expect(house.journal.entries).toHaveLength(0);
  });

  it("that fills the journal is refused, and its repetition adds what is missing", async () => {
    house.journal.roomFor = 2;
    expect((await house.post({ outcomes: batch(3) })).status).toBe(503);
    house.journal.roomFor = Infinity;
    expect(stored(await house.post({ outcomes: batch(3) }))).toEqual([false, false, true]);
  });
});
