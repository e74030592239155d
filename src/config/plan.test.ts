import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { applyConfig, declaredConfig, effectiveSnapshot } from "./apply.ts";
import { compileBank, type Edit, replace, write } from "./bank-fixture.ts";
import { MemorySnapshotStore } from "./memory-snapshot-store.ts";
import { planConfig, printPlan } from "./plan.ts";

const secrets = { env: () => "secret", file: () => undefined };

function planLines(edits: readonly Edit[], activate: boolean | readonly string[] = false): string[] {
  const base = compileBank();
  const plan = planConfig({ serving: base, declared: base }, compileBank(...edits), activate);
  return printPlan({ ...plan, notEnforced: [] }).split("\n");
}

const waits = "bundle changes; needs --activate";
const cases: [string, Edit[], string[]][] = [
  ["nothing", [], ["No changes: this is what was applied last."]],
  [
    "a threshold",
    [replace("0.72", "0.70")],
    [`~ use case credit: approve threshold 0.72 → 0.70 (score rule 1); ${waits}`],
  ],
  [
    "a condition",
    [replace("score <= 0.35", "score <= 0.35 && rung == 0")],
    [
      `~ use case credit: decline when "score <= 0.35" → decline when "score <= 0.35 && rung == 0" (score rule 2); ${waits}`,
    ],
  ],
  [
    "a rule more",
    [replace("      - { result: refer", "      - { when: score < 0.5, climb: true }\n      - { result: refer")],
    [
      `~ use case credit: else refer to underwriters → climb when "score < 0.5" (score rule 3); ${waits}`,
      `~ use case credit: rule added: else refer to underwriters (score rule 4); ${waits}`,
    ],
  ],
  [
    "a prompt",
    [write("prompts/assistant.md", "One.\nTwo.\n")],
    [`~ use case assistant: prompt changed (1 lines → 2 lines); ${waits}`],
  ],
  [
    "documents",
    [
      write("policies/cards.md", "# Cards\n"),
      write("policies/fees.md", "# Fees\n"),
      replace("passages: 4", "passages: 6"),
    ],
    [
      `~ use case assistant: passages 4 → 6; ${waits}`,
      `~ use case assistant: documents in policies: 1 added, 0 removed, 1 changed; ${waits}`,
    ],
  ],
  [
    "a guard",
    [replace("email, phone], action: redact", "email], action: block")],
    [
      "~ guard pii: detect card, iban, email, phone → card, iban, email",
      "~ guard pii: action redact → block",
      `~ use case assistant: guard pii.detect card, iban, email, phone → card, iban, email; ${waits}`,
      `~ use case assistant: guard pii.action redact → block; ${waits}`,
    ],
  ],
  [
    "guards listed",
    [replace("screen: [pii]", "check: [pii]")],
    [`~ use case assistant: screen pii → none; ${waits}`, `~ use case assistant: check none → pii; ${waits}`],
  ],
  [
    "a ladder",
    [replace("[qwen-small, gpt-main,", "[gpt-main,")],
    [
      `~ use case assistant: ladder qwen-small, gpt-main, extractive, template → gpt-main, extractive, template; ${waits}`,
    ],
  ],
  [
    "a slot's start",
    [replace("start: scorecard-7", "start: scorecard-8")],
    [
      "~ slot scorecard: start scorecard-7 → scorecard-8",
      `~ use case credit: rung 1 (scorecard) model scorecard-7 → scorecard-8; ${waits}`,
    ],
  ],
  [
    "a model's file",
    [write("models/scorecard-7.onnx", "again")],
    [
      "~ model scorecard-7: content of models/scorecard-7.onnx fb5479ee → b4c9e140",
      `~ use case credit: rung 1 (scorecard) file fb5479ee → b4c9e140; ${waits}`,
    ],
  ],
  [
    "a contract",
    [
      replace("nullable: true", "nullable: false", "schemas/applicant.yaml"),
      replace("version: 1", "version: 2", "schemas/applicant.yaml"),
    ],
    [
      `~ use case credit: contract.version 1 → 2; ${waits}`,
      `~ use case credit: feature Income.nullable true → false; ${waits}`,
    ],
  ],
  [
    "a vendor's model",
    [replace("gpt-5.4", "gpt-5.5")],
    [
      "~ model gpt-main: model gpt-5.4 → gpt-5.5",
      `~ use case assistant: rung 2 (gpt-main) model gpt-5.4 → gpt-5.5; ${waits}`,
    ],
  ],
  [
    "policy",
    [
      replace("risk: limited", "risk: limited\n    record: full\n    limits: { requests_per_minute: 60 }"),
      replace("consent: required", "consent: none\n    when: subject_known"),
    ],
    [
      '~ use case assistant: limits none → {"requestsPerMinute":60}',
      "~ use case assistant: record redacted → full",
      "~ use case credit: consent required → none",
      '~ use case credit: condition on callers none → "subject_known"',
    ],
  ],
  [
    "tenants, vendors, prices",
    [
      replace("usd: 4000", "usd: 5000"),
      replace("region: us", "region: eu"),
      replace("output: 15", "output: 16"),
      replace("guards:", "  extra: { start: baseline }\nguards:"),
      replace("weir: 1", "weir: 1\nserver: { port: 8443 }"),
    ],
    [
      "~ server: port 8080 → 8443; at the next start",
      "~ tenant retail: budget.usd 4000 → 5000",
      "~ vendor openai: region us → eu",
      "~ model gpt-main: price output 15 → 16 (+6.7 %)",
      "+ slot extra: added",
    ],
  ],
  [
    "a use case renamed",
    [replace("  assistant:", "  helper:")],
    [
      "- use case assistant: removed; callers get unknown_use_case",
      "+ use case helper: chat, limited risk, 4 rungs; serves at once",
    ],
  ],
];

describe("plan", () => {
  it.each(cases)("%s", (_, edits, lines) => {
    expect(planLines(edits)).toEqual(lines);
  });

  it("says what activation does", () => {
    expect(planLines([replace("0.72", "0.70")], ["credit"])).toEqual([
      "~ use case credit: approve threshold 0.72 → 0.70 (score rule 1); bundle changes; serves at once",
    ]);
  });

  it("of a first configuration lists what is added and what is not enforced yet", () => {
    expect(printPlan(planConfig(undefined, compileBank())).split("\n")).toEqual([
      "+ tenant retail: added",
      "+ vendor openai: added",
      "+ vendor local: added",
      "+ model gpt-main: added",
      "+ model qwen-small: added",
      "+ model scorecard-7: added",
      "+ model scorecard-8: added",
      "+ model baseline: added",
      "+ slot scorecard: added",
      "+ guard pii: added",
      "+ use case assistant: chat, limited risk, 4 rungs; serves at once",
      "+ use case credit: score, high risk, 3 rungs; serves at once",
      "! use case assistant: not enforced yet for limited risk: review: a sample of decisions; release: gates beside the one person",
      "! use case credit: not enforced yet for high risk: explanation: with every adverse or referred decision; review: low confidence, a sample, appeals; release: four eyes, bias and robustness gates",
    ]);
  });

  it("after a bundle waits, still shows it against what serves, and no pinned names", async () => {
    const store = new MemorySnapshotStore();
    const clock = new VirtualClock();
    const edits = [replace("0.72", "0.70"), write("models/scorecard-7.onnx", "again")];
    await applyConfig(store, compileBank(), { clock, appliedBy: "dana" });
    await applyConfig(store, compileBank(...edits), { clock, appliedBy: "dana" });
    const effective = (await effectiveSnapshot(store, { secrets }))!;
    const base = { serving: effective.compiled, declared: await declaredConfig(store, effective.record) };
    const plan = planConfig(base, compileBank(...edits));
    expect(printPlan({ ...plan, notEnforced: [] }).split("\n")).toEqual([
      `~ use case credit: rung 1 (scorecard) file fb5479ee → b4c9e140; ${waits}`,
      `~ use case credit: approve threshold 0.72 → 0.70 (score rule 1); ${waits}`,
    ]);
    expect(plan.waiting).toEqual(["credit"]);
  });
});
