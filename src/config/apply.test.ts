import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { applyConfig, declaredConfig, effectiveSnapshot } from "./apply.ts";
import { compileBank, type Edit, replace, write } from "./bank-fixture.ts";
import type { CompiledConfig } from "./compile.ts";
import { MemorySnapshotStore } from "./memory-snapshot-store.ts";
import type { SnapshotStore } from "./port.ts";

const clock = new VirtualClock();
const secrets = { env: (name: string) => `secret of ${name}`, file: () => undefined };

async function apply(store: SnapshotStore, edits: readonly Edit[] = [], activate: boolean | readonly string[] = false) {
  const result = await applyConfig(store, compileBank(...edits), { clock, appliedBy: "dana", activate });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result;
}

async function serving(store: SnapshotStore, number?: number): Promise<CompiledConfig> {
  return (await effectiveSnapshot(store, { secrets }, number))!.compiled;
}

const threshold = replace("0.72", "0.70");
const prompt = write("prompts/assistant.md", "Answer briefly.\n");
const document = write("policies/cards.md", "# Cards\n");
const graph = write("models/scorecard-7.onnx", "graph seven, trained again");
const start = replace("start: scorecard-7", "start: scorecard-8");
const guard = replace("email, phone", "email");
const vendorModel = replace("gpt-5.4", "gpt-5.5");
const contract = replace("max: 600", "max: 700", "schemas/applicant.yaml");
const budget = replace("usd: 4000", "usd: 5000");
const deadline = replace("    data_class:", "    deadline: 20s\n    data_class:");

describe("apply", () => {
  it("lets the first snapshot serve, from the store alone", async () => {
    const store = new MemorySnapshotStore();
    const { applied, activated, waiting } = await apply(store);
    const declared = compileBank().snapshot;
    expect(applied).toMatchObject({ number: 1, hash: declared.hash, applied_at_ms: clock.now(), applied_by: "dana" });
    expect({ activated, waiting }).toEqual({ activated: ["assistant", "credit"], waiting: [] });
    const { snapshot } = await serving(store);
    expect(snapshot).toMatchObject({ number: 1, hash: declared.hash });
    expect(snapshot.vendors.get("openai")?.keys[0]?.secret).toBe("secret of OPENAI_API_KEY");
    const credit = snapshot.useCases.get("credit")!;
    expect(credit.bundle).toBe(declared.useCases.get("credit")!.bundle);
    expect(credit.contract?.features.map(({ name }) => name)).toEqual(["Income", "Time", "Job"]);
    expect(snapshot.useCases.get("assistant")?.prompt).toBe("Answer from the passages.\n");
  });

  it("of the same configuration stores nothing", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    expect(await apply(store)).toMatchObject({ unchanged: true, applied: { number: 1 } });
    expect((await store.current())?.number).toBe(1);
  });

  const bundles: [string, Edit, string][] = [
    ["a threshold", threshold, "credit"],
    ["a model's file", graph, "credit"],
    ["a slot's start", start, "credit"],
    ["a contract", contract, "credit"],
    ["a prompt", prompt, "assistant"],
    ["a document", document, "assistant"],
    ["a guard", guard, "assistant"],
    ["a vendor's model", vendorModel, "assistant"],
  ];
  it.each(bundles)("lets a bundle with %s wait, and the old one serve", async (_, edit, name) => {
    const store = new MemorySnapshotStore();
    await apply(store);
    const before = (await serving(store)).snapshot.useCases;
    const result = await apply(store, [edit, budget]);
    expect(result).toMatchObject({ activated: [], waiting: [name], unchanged: false });
    const candidate = compileBank(edit).snapshot.useCases.get(name)!.bundle;
    expect(result.applied.bundles[name]).toEqual({ active: before.get(name)!.bundle, candidate });
    const after = await serving(store);
    expect(after.snapshot).toMatchObject({ number: 2, hash: result.applied.hash });
    expect(after.snapshot.useCases.get(name)?.bundle).toBe(before.get(name)!.bundle);
    // Policy applies at once.
    expect(after.snapshot.tenants.get("retail")?.budgets?.[0]?.nanoUsd).toBe(5_000_000_000_000);
  });

  it.each(bundles)("activates a bundle with %s where asked", async (_, edit, name) => {
    const store = new MemorySnapshotStore();
    await apply(store);
    await apply(store, [edit]);
    const result = await apply(store, [edit], [name]);
    expect(result).toMatchObject({ activated: [name], waiting: [], applied: { number: 3 } });
    expect(result.applied.effective).toBe(result.applied.declared);
    expect((await serving(store)).snapshot.hash).toBe(compileBank(edit).snapshot.hash);
  });

  it("keeps what an old bundle says, word for word, over several applies", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    await apply(store, [threshold, graph, prompt, guard, vendorModel, document]);
    await apply(store, [replace("0.72", "0.65"), start, write("prompts/assistant.md", "Third.\n"), budget]);
    const { snapshot } = await serving(store);
    const [assistant, credit] = [snapshot.useCases.get("assistant")!, snapshot.useCases.get("credit")!];
    expect(assistant.prompt).toBe("Answer from the passages.\n");
    expect(assistant.ground?.files).toHaveLength(1);
    expect(assistant.screen[0]).toMatchObject({ name: "pii", detect: ["card", "iban", "email", "phone"] });
    expect(credit.decide[0]?.when?.source).toBe("score >= 0.72");
    const rung = credit.ladder[0]!;
    const model = rung.type === "model" ? snapshot.models.get(rung.model) : undefined;
    expect(rung).toMatchObject({ slot: "scorecard" });
    expect(model?.type === "runtime" && model.runtime === "onnx" && new TextDecoder().decode(model.file.bytes())).toBe(
      "graph seven",
    );
    const first = compileBank().snapshot.useCases;
    expect([assistant.bundle, credit.bundle]).toEqual([first.get("assistant")!.bundle, first.get("credit")!.bundle]);
  });

  it("applies policy of a use case at once while its bundle waits", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    await apply(store, [deadline, prompt]);
    const { snapshot } = await serving(store);
    expect(snapshot.useCases.get("assistant")).toMatchObject({
      deadlineMs: 20_000,
      prompt: "Answer from the passages.\n",
    });
  });

  it("takes a new price for an old model", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    await apply(store, [replace("max_output: 128000", "max_output: 64000"), replace("output: 15", "output: 12")]);
    const { snapshot } = await serving(store);
    const rung = snapshot.useCases.get("assistant")!.ladder[1]!;
    expect(rung.type === "model" && snapshot.models.get(rung.model)).toMatchObject({
      maxOutputTokens: 128_000,
      price: { output: 12_000_000_000n },
    });
  });

  const minimal = replace("risk: limited", "risk: minimal");
  const direct = replace("    data_class:", "    release: direct\n    data_class:");
  it.each<[string, Edit[], Edit[], string[]]>([
    ["direct before and after", [minimal, direct], [minimal, direct, prompt], ["assistant"]],
    ["direct only from now on", [minimal], [minimal, direct, prompt], []],
    ["direct no more", [minimal, direct], [minimal, prompt], []],
    ["a new use case", [replace("  assistant:", "  helper:")], [], ["assistant"]],
  ])("release policy: %s", async (_, before, after, activated) => {
    const store = new MemorySnapshotStore();
    await apply(store, before);
    expect((await apply(store, after)).activated).toEqual(activated);
  });

  it("removes a use case", async () => {
    const store = new MemorySnapshotStore();
    await apply(store, [replace("  assistant:", "  helper:")]);
    await apply(store);
    expect([...(await serving(store)).snapshot.useCases.keys()]).toEqual(["assistant", "credit"]);
  });

  it("refuses what the bundle in service can't run under, and applies nothing", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    const withoutOpenai = [
      replace("  openai: { dialect: openai, key: { env: OPENAI_API_KEY }, region: us }\n", ""),
      replace("  gpt-main:    { vendor: openai,", "  gpt-main:    { vendor: local,"),
    ];
    const result = await applyConfig(store, compileBank(...withoutOpenai), { clock, appliedBy: "dana" });
    expect(result).toMatchObject({ ok: false, problems: [{ message: 'there is no vendor "openai"' }] });
    expect(result.ok ? "" : result.problems[0]?.fix).toContain("--activate");
    expect((await store.current())?.number).toBe(1);
    expect(
      await applyConfig(store, compileBank(...withoutOpenai), { clock, appliedBy: "dana", activate: true }),
    ).toMatchObject({ ok: true });
  });

  it("refuses a raised tier that the guard in service weakens", async () => {
    const store = new MemorySnapshotStore();
    const open = replace("action: redact }", "action: redact, on_failure: open }");
    await apply(store, [open]);
    const raised = compileBank(replace("risk: limited", "risk: high"));
    expect(await applyConfig(store, raised, { clock, appliedBy: "dana" })).toMatchObject({ ok: false });
  });
});

describe("what serves", () => {
  it("is nothing before the first apply", async () => {
    expect(await effectiveSnapshot(new MemorySnapshotStore(), { secrets })).toBeUndefined();
  });

  it("may be an older snapshot, for as long as it is stored", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    await apply(store, [prompt], true);
    expect((await serving(store, 1)).snapshot.useCases.get("assistant")?.prompt).toBe("Answer from the passages.\n");
    expect((await serving(store)).snapshot.useCases.get("assistant")?.prompt).toBe("Answer briefly.\n");
  });

  it("needs the secrets where it serves", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    const none = { env: () => undefined, file: () => undefined };
    await expect(effectiveSnapshot(store, { secrets: none })).rejects.toThrow("OPENAI_API_KEY is not set");
  });

  it("names a blob that is missing", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    store.blob = async () => undefined;
    await expect(effectiveSnapshot(store, { secrets })).rejects.toThrow("is missing; restore it from a backup");
  });

  it("is told apart from what was declared", async () => {
    const store = new MemorySnapshotStore();
    await apply(store);
    const { applied } = await apply(store, [threshold]);
    const declared = await declaredConfig(store, applied);
    expect(declared.snapshot.useCases.get("credit")?.decide[0]?.when?.source).toBe("score >= 0.70");
    expect(declared.snapshot.hash).toBe(compileBank(threshold).snapshot.hash);
  });
});
