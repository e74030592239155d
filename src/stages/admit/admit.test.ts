import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  type TestDecision,
  aChatAsk,
  aCondition,
  aDecision,
  aDecisionId,
  aScoreAsk,
} from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { isRefusal } from "../../kernel/errors.ts";
import type { Answer } from "../../path/context.ts";
import { createAdmit } from "./admit.ts";
import type { ConsentQuery } from "./consent.ts";
import { IdempotencyTable } from "./idempotency.ts";

function setUp(parts: DecisionParts = {}) {
  const clock = parts.clock ?? new VirtualClock();
  const idempotency = new IdempotencyTable(clock);
  const asked: ConsentQuery[] = [];
  const replayed: unknown[] = [];
  const admit = createAdmit({
    consents: {
      covers: (query) => {
        asked.push(query);
        return query.reference === "good" ? { ok: true } : { ok: false, why: "the reference is not known" };
      },
    },
    idempotency,
    pseudonym: (tenant, subject) => `pseudonym(${tenant}/${subject})`,
    digest: (data) => `digest(${Buffer.from(data).toString()})`,
    replay: async (_d, earlier) => {
      replayed.push(earlier);
      return {
        decision: earlier.decision,
        outcome: { type: "score", answer: { result: "approve", reasons: [] } },
        replayed: true,
      } satisfies Answer;
    },
  });
  return { admit, d: aDecision({ ...parts, clock }), asked, replayed, idempotency, clock };
}
const verdict = (parts: DecisionParts) => {
  const { admit, d } = setUp(parts);
  const answer = admit(d);
  return { d, code: isRefusal(answer) ? answer.code : "admitted", answer };
};

describe("admit: who, what for, with what", () => {
  const rows: [string, DecisionParts, string][] = [
    ["everything in order", {}, "admitted"],
    ["a right to this use case", { principal: { use_cases: ["other", "assistant"] } }, "admitted"],
    ["a right to another one only", { principal: { use_cases: ["other"] } }, "use_case_not_allowed"],
    ["no right at all", { principal: { use_cases: [] } }, "use_case_not_allowed"],
    ["a condition that holds", { useCase: { condition: aCondition((v) => v["environment"] === "test") } }, "admitted"],
    ["a condition that does not", { useCase: { condition: aCondition(() => false) } }, "condition_not_met"],
    ["a score body for a chat use case", { ask: aScoreAsk(), useCase: { kind: "chat" } }, "kind_mismatch"],
    ["no purpose where none is asked for", { useCase: { purposes: [] } }, "admitted"],
    ["a purpose where none is allowed", { context: { purpose: "any" } }, "purpose_not_allowed"],
    ["one purpose allowed and none stated", { useCase: { purposes: ["service"] } }, "admitted"],
    ["two purposes allowed and none stated", { useCase: { purposes: ["service", "sales"] } }, "purpose_required"],
    ["an allowed purpose", { useCase: { purposes: ["service", "sales"] }, context: { purpose: "sales" } }, "admitted"],
    ["another purpose", { useCase: { purposes: ["service"] }, context: { purpose: "sales" } }, "purpose_not_allowed"],
    [
      "a purpose that the key may not state",
      {
        useCase: { purposes: ["service", "sales"] },
        principal: { purposes: ["service"] },
        context: { purpose: "sales" },
      },
      "purpose_not_allowed",
    ],
    [
      "the only purpose, which the key may not state",
      { useCase: { purposes: ["sales"] }, principal: { purposes: ["service"] } },
      "purpose_not_allowed",
    ],
    ["consent required and no subject", { useCase: { consent: "required" } }, "subject_required"],
    [
      "consent required and no reference",
      { useCase: { consent: "required" }, context: { subject: "anna" } },
      "consent_required",
    ],
    [
      "a boolean for a consent",
      { useCase: { consent: "required" }, context: { subject: "anna", consent: "true" } },
      "consent_not_valid",
    ],
    [
      "a consent that holds",
      { useCase: { consent: "required" }, context: { subject: "anna", consent: "good" } },
      "admitted",
    ],
    ["an unknown consent where none is required", { context: { consent: "bad" } }, "admitted"],
    ["regions in common", { tenant: { residency: ["eu", "ch"] }, useCase: { regions: ["ch", "us"] } }, "admitted"],
    ["no region in common", { tenant: { residency: ["eu"] }, useCase: { regions: ["us"] } }, "nothing_eligible"],
    ["features that fit", { ask: aScoreAsk() }, "admitted"],
    ["features that don't", { ask: aScoreAsk({ features: { income: "much", home: "own" } }) }, "invalid_input"],
    ["a body that is no object", { ask: aScoreAsk(null) }, "invalid_input"],
    ["an idempotency key that is empty", { context: { idempotencyKey: "" } }, "invalid_request"],
    ["one of 255 characters", { context: { idempotencyKey: "k".repeat(255) } }, "admitted"],
    ["one of 256 characters", { context: { idempotencyKey: "k".repeat(256) } }, "invalid_request"],
  ];
  it.each(rows)("%s", (_given, parts, code) => expect(verdict(parts).code).toBe(code));

  it("asks the condition with the principal, the purpose and whether the subject is known, never who it is", () => {
    const seen: Record<string, unknown>[] = [];
    verdict({
      useCase: { purposes: ["service"], condition: aCondition((variables) => (seen.push(variables), true)) },
      principal: { groups: ["staff"] },
      context: { subject: "anna", purpose: "service" },
    });
    expect(seen).toEqual([
      {
        principal: { type: "service", id: "branch-app", tenant: "retail", environment: "test", groups: ["staff"] },
        purpose: "service",
        subject_known: true,
        environment: "test",
      },
    ]);
  });

  it("asks for consent with the subject as named, the purpose and the time of the call", () => {
    const { admit, d, asked } = setUp({
      useCase: { consent: "required", purposes: ["lending"] },
      context: { subject: "anna", consent: "good" },
    });
    admit(d);
    expect(asked).toEqual([
      { reference: "good", tenant: "retail", subject: "anna", purpose: "lending", atMs: d.call.startedAtMs },
    ]);
  });

  it("keeps of the subject only its pseudonym", () => {
    const { d } = verdict({ context: { subject: "anna" } });
    expect(d.subject).toBe("pseudonym(retail/anna)");
  });

  it.each([
    [[], [], []],
    [["eu"], [], ["eu"]],
    [[], ["us"], ["us"]],
    [["eu", "ch"], ["us", "ch"], ["ch"]],
  ] as [string[], string[], string[]][])("tenant in %j, use case in %j: %j", (residency, regions, both) => {
    expect(verdict({ tenant: { residency }, useCase: { regions } }).d.regions).toEqual(both);
  });

  it("splits protected features off the ordinary ones", () => {
    const { d } = verdict({ ask: aScoreAsk({ features: { income: 1, home: "rent" }, protected: { age: 40 } }) });
    expect(d.features).toEqual({ income: 1, home: "rent" });
    expect(d.protectedFeatures).toEqual({ age: 40 });
  });

  it("names features and rules that are broken, never the value that a person sent", () => {
    const { answer } = verdict({ ask: aScoreAsk({ features: { income: "secret-wage", home: "castle-17" } }) });
    expect(answer).toMatchObject({ code: "invalid_input", message: expect.stringMatching(/income.*home/) as string });
    expect(JSON.stringify(answer)).not.toMatch(/secret-wage|castle-17/);
  });
});

describe("admit: idempotency", () => {
  const withKey = (d: Partial<DecisionParts> = {}): DecisionParts => ({ context: { idempotencyKey: "abc" }, ...d });

  it("claims the key under tenant, principal and use case, and keeps digests only", () => {
    const { d } = verdict(withKey());
    const body = Buffer.from(d.ask.body).toString();
    expect(d.idempotency).toEqual({
      key: "digest(retail\u0000branch-app\u0000assistant\u0000abc)",
      body: `digest(${body})`,
    });
  });

  const again = (
    first: DecisionParts,
    then: DecisionParts,
    between: (t: IdempotencyTable, d: TestDecision) => void,
  ) => {
    const { admit, d, idempotency, clock, replayed } = setUp(first);
    admit(d);
    between(idempotency, d);
    const other = aDecision({ ...then, clock });
    return { answer: admit(other), first: d, other, replayed };
  };

  it.each([
    ["another principal", { principal: { id: "someone-else" } }],
    ["another tenant", { tenant: { name: "private" } }],
    ["another use case", { useCase: { name: "assistant-2" } }],
  ] as [string, DecisionParts][])("%s may use the same key for itself", (_who, parts) => {
    expect(again(withKey(), withKey(parts), () => undefined).answer).toBeUndefined();
  });

  it("in flight: refused, and the other decision has no claim", () => {
    const { answer, other } = again(withKey(), withKey(), () => undefined);
    expect(answer).toMatchObject({ code: "idempotency_in_flight" });
    expect(other.idempotency).toBeUndefined();
  });

  it("another body: refused", () => {
    const { answer } = again(withKey(), withKey({ ask: aChatAsk({ messages: [] }) }), () => undefined);
    expect(answer).toMatchObject({ code: "idempotency_mismatch" });
  });

  it("done: the earlier answer", async () => {
    const { answer, replayed, first, other } = again(withKey(), withKey(), (t, d) =>
      t.settled(d.idempotency!.key, d.id, "done", 5),
    );
    expect(await answer).toMatchObject({ decision: first.id, replayed: true });
    expect(replayed).toEqual([{ decision: first.id, seq: 5 }]);
    expect(other.idempotency).toBeUndefined();
  });

  it("interrupted: that decision's state", () => {
    const { answer } = again(withKey(), withKey(), (t, d) => t.settled(d.idempotency!.key, d.id, "interrupted", 5));
    expect(answer).toMatchObject({ code: "idempotency_interrupted" });
  });

  it("a request that is refused for another reason claims nothing", () => {
    const { admit, d, idempotency } = setUp(withKey({ principal: { use_cases: [] } }));
    expect(admit(d)).toMatchObject({ code: "use_case_not_allowed" });
    expect(idempotency.size).toBe(0);
    expect(d.id).not.toBe(aDecisionId(0));
  });
});
