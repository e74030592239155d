import { describe, expect, it } from "vitest";
import { type Edit, compileBank, replace, tryBank } from "./bank-fixture.ts";
import { describeBundle } from "./plan-bundle.ts";

const ladder = (text: string): Edit => replace("[qwen-small, gpt-main, extractive,", `[${text},`);
const assistant = (...edits: Edit[]) => compileBank(...edits).snapshot.useCases.get("assistant")!;
const problems = (...edits: Edit[]) => {
  const result = tryBank(edits);
  return (result.ok ? [] : result.problems)
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => message);
};
const pool = "{ pool: [qwen-small, { model: gpt-main, weight: 3, up_to: 8000 }], strategy: weighted }";

describe("a pool in a ladder", () => {
  it("compiles to its members, with what each is weighed by", () => {
    expect(assistant(ladder(pool)).ladder[0]).toMatchObject({
      type: "pool",
      strategy: "weighted",
      commit: "first-byte",
      members: [
        { model: "qwen-small", weight: 1 },
        { model: "gpt-main", weight: 3, upToTokens: 8000 },
      ],
    });
  });

  it.each([
    ["an unknown member", "{ pool: [qwen-smal, gpt-main] }", 'no model or slot "qwen-smal"'],
    ["a member twice", "{ pool: [gpt-main, gpt-main] }", '"gpt-main" stands twice'],
    ["a member of another kind", "{ pool: [gpt-main, baseline] }", "scores features"],
    ["one member", "{ pool: [gpt-main] }", "expected array to have >=2 items"],
    ["an unknown strategy", "{ pool: [qwen-small, gpt-main], strategy: random }", '"random" is not allowed here'],
    [
      "a condition that is none",
      "{ pool: [qwen-small, gpt-main], when: 'tokens' }",
      "a condition must be true or false",
    ],
  ])("%s is refused", (_what, text, message) => {
    expect(problems(ladder(text)).join("\n").toLowerCase()).toContain(message.toLowerCase());
  });

  it("conditions may ask what headers select", () => {
    const when = '{ pool: [qwen-small, gpt-main], when: \'latency == "interactive" && !batchable && task != "sum"\' }';
    expect(assistant(ladder(when)).ladder[0]).toMatchObject({ when: { source: expect.any(String) as string } });
  });

  it("belongs to the bundle: another weight is another bundle, and plan says which", () => {
    const heavier = pool.replace("weight: 3", "weight: 4");
    expect(assistant(ladder(pool)).bundle).toBe(assistant(ladder(pool)).bundle);
    expect(assistant(ladder(heavier)).bundle).not.toBe(assistant(ladder(pool)).bundle);
    const told = describeBundle(compileBank(ladder(pool)), compileBank(ladder(heavier)), "assistant");
    expect(told.join("\n")).toMatch(/pool of qwen-small and gpt-main.*weights/);
  });
});

describe("accept", () => {
  it("compiles, and makes its rung complete", () => {
    const rung = assistant(
      ladder("{ model: qwen-small, accept: { schema: true, confidence: 0.7, abstains: false } }, gpt-main"),
    );
    expect(rung.ladder[0]).toMatchObject({
      commit: "complete",
      accept: { schema: true, confidence: 0.7, abstains: false },
    });
  });

  it.each([
    ["{ model: qwen-small, accept: {} }", "asks nothing"],
    ["{ model: qwen-small, commit: first-byte, accept: { schema: true } }", "must see the whole answer"],
  ])("%s is refused", (text, message) => expect(problems(ladder(text)).join()).toContain(message));
});

describe("a vendor's keys", () => {
  const several = replace("key: { env: OPENAI_API_KEY }", "key: { env: A }, keys: [{ env: B }, { env: C }]");
  const secrets = (known: string[]) => ({
    secrets: { env: (name: string) => (known.includes(name) ? `secret ${name}` : undefined), file: () => undefined },
  });

  it("are numbered as they are written", () => {
    const { snapshot } = compileBank(several);
    expect(snapshot.vendors.get("openai")!.keys.map(({ id }) => id)).toEqual(["openai#1", "openai#2", "openai#3"]);
  });

  it("one that is missing is a problem at its place, and leaves the others their numbers", () => {
    const result = tryBank([several], { ...secrets(["A", "C"]), missingSecrets: "warning" });
    if (!result.ok) throw new Error("refused");
    expect(result.warnings.map(({ message }) => message).join()).toContain("variable B is not set");
    expect(result.compiled.snapshot.vendors.get("openai")!.keys).toEqual([
      { id: "openai#1", secret: "secret A" },
      { id: "openai#3", secret: "secret C" },
    ]);
  });

  it("health has defaults, and is taken as declared", () => {
    expect(compileBank().snapshot.vendors.get("openai")!.health).toMatchObject({
      consecutiveFailures: 5,
      openMs: 5000,
    });
    const changed = replace("region: us", "region: us, health: { failures: 9, slow_start: 2m }");
    expect(compileBank(changed).snapshot.vendors.get("openai")!.health).toMatchObject({
      consecutiveFailures: 9,
      slowStartMs: 120_000,
    });
  });
});
