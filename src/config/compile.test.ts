import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { bankFiles, compileBank, type Edit, replace, tryBank, write } from "./bank-fixture.ts";
import { canonicalJson } from "./canonical.ts";
import { sha256Hex } from "./files.ts";

const errorsOf = (edits: readonly Edit[]): string[] => {
  const result = tryBank(edits);
  return result.ok ? [] : result.problems.filter(({ severity }) => severity === "error").map(({ message }) => message);
};

describe("the design's example", () => {
  const { snapshot, canonical, artifacts } = compileBank();
  const assistant = snapshot.useCases.get("assistant")!;
  const credit = snapshot.useCases.get("credit")!;

  it("compiles to targets with exact money and resolved secrets", () => {
    expect(snapshot.tenants.get("retail")).toEqual({
      name: "retail",
      limits: {},
      residency: ["eu", "onprem"],
      budgets: [{ nanoUsd: 4_000_000_000_000, per: "month", atLimit: "block", steps: [] }],
    });
    expect(snapshot.vendors.get("openai")).toMatchObject({
      dialect: "openai-chat",
      baseUrl: "https://api.openai.com/v1",
      auth: { type: "bearer" },
      keys: [{ id: "openai#1", secret: "secret of OPENAI_API_KEY" }],
      dataClass: "internal",
      timeouts: { connectMs: 2000, firstByteMs: 30_000, idleMs: 30_000 },
    });
    expect(snapshot.vendors.get("local")?.baseUrl).toBe("http://127.0.0.1:11434/v1");
    expect(snapshot.models.get("gpt-main")).toMatchObject({
      vendor: "openai",
      maxOutputTokens: 128_000,
      price: { input: 2_500_000_000n, cached_input: 250_000_000n, output: 15_000_000_000n, call: 0n },
    });
    expect(snapshot.models.get("qwen-small")).toMatchObject({ price: { version: "free", output: 0n } });
    expect(snapshot.models.get("extractive")).toMatchObject({ runtime: "extractive" });
  });

  it("compiles to use cases with their tier's defaults", () => {
    expect(assistant).toMatchObject({
      durability: "queued",
      record: "redacted",
      release: "one-person",
      tenants: ["retail"],
      prompt: "Answer from the passages.\n",
      screen: [{ name: "pii", action: "redact", onFailure: "closed" }],
      cache: { exactTtlMs: 600_000, tags: [] },
      deadlineMs: 60_000,
      retries: 1,
    });
    expect(credit).toMatchObject({
      durability: "sealed",
      record: "full",
      release: "four-eyes",
      purposes: ["credit-check"],
      consent: "required",
      dataClass: "personal",
      deadlineMs: 5_000,
    });
    expect(credit.contract?.features.map(({ name }) => name)).toEqual(["Income", "Time", "Job"]);
    expect(credit.contract?.protectedFeatures).toMatchObject([{ name: "Age", immutable: true }]);
  });

  it("compiles ladders and rules", () => {
    expect(credit.ladder).toMatchObject([
      { type: "model", model: "scorecard-7", slot: "scorecard", commit: "complete" },
      { type: "model", model: "baseline", commit: "complete" },
      { type: "refer", to: "underwriters" },
    ]);
    const result = (score: number) => credit.decide.find(({ when }) => !when || when.test({ score }))?.then;
    expect([0.9, 0.5, 0.1].map(result)).toEqual([
      { result: "approve" },
      { result: "refer", referTo: "underwriters" },
      { result: "decline" },
    ]);
    expect(assistant.ladder.map(({ commit }) => commit)).toEqual(["first-byte", "first-byte", "complete", "complete"]);
  });

  it("pins every file that it names, and only Markdown as documents", () => {
    expect(assistant.ground).toMatchObject({ folder: "policies", passages: 4, files: [{ path: "policies/fees.md" }] });
    expect([...artifacts.keys()].toSorted()).toEqual(
      Object.keys(bankFiles)
        .filter((path) => !/yaml$|txt$/.test(path) || /schemas|rules/.test(path))
        .toSorted(),
    );
    const scorecard = snapshot.models.get("scorecard-7")!;
    expect(scorecard).toMatchObject({ file: { sha256: sha256Hex("graph seven") } });
  });

  it("is hashed as canonical text that holds no secret", () => {
    expect(snapshot.hash).toBe(sha256Hex(canonical));
    expect(canonical).not.toContain("secret of");
  });
});

describe("secrets", () => {
  it("come trimmed from files", () => {
    const { snapshot } = compileBank(replace("{ env: OPENAI_API_KEY }", "{ file: keys/openai }"));
    expect(snapshot.vendors.get("openai")?.keys[0]?.secret).toBe("secret in keys/openai");
  });

  it.each(["error", "warning"] as const)("that are missing are an %s where asked so", (missingSecrets) => {
    const secrets = { env: () => undefined, file: () => undefined };
    const result = tryBank([], { secrets, missingSecrets });
    expect(result.ok).toBe(missingSecrets === "warning");
    expect(result.ok ? result.warnings : result.problems).toMatchObject([
      { severity: missingSecrets, line: 5, message: "the environment variable OPENAI_API_KEY is not set" },
    ]);
  });
});

describe("consents", () => {
  const listed = (text: string) => [
    replace("weir: 1\n", "weir: 1\nconsents: consents.yaml\n"),
    write("consents.yaml", text),
  ];
  const one =
    "consents:\n  - { reference: form-1, tenant: retail, purposes: [credit-check], from: 2026-01-01, until: 2028-01-01 }\n";

  it("come from their own file, with days in UTC, and are part of the hash", () => {
    const { snapshot } = compileBank(...listed(one));
    expect(snapshot.consents).toEqual([
      {
        reference: "form-1",
        tenant: "retail",
        purposes: ["credit-check"],
        fromMs: Date.UTC(2026, 0, 1),
        untilMs: Date.UTC(2028, 0, 1),
      },
    ]);
    expect(snapshot.hash).not.toBe(compileBank(...listed(one.replace("form-1", "form-2"))).snapshot.hash);
    expect(compileBank().snapshot.consents).toEqual([]);
  });

  it.each([
    ["an unknown tenant", one.replace("retail", "retial"), 2, 34, 'there is no tenant "retial"'],
    ["no such day", one.replace("2026-01-01", "2026-02-30"), 2, 74, "there is no such day"],
    ["an end before the start", one.replace("2028", "2025"), 2, 93, "`until` is not after `from`"],
    ["a missing purpose", one.replace(" purposes: [credit-check],", ""), 2, 5, '"purposes" is missing'],
  ])("with %s are refused there", (_, text, line, column, message) => {
    const result = tryBank(listed(text));
    expect(result.ok ? [] : result.problems).toMatchObject([{ file: "consents.yaml", line, column, message }]);
  });
});

describe("a risk tier can't be weakened", () => {
  const guard = replace("action: redact }", "action: redact, on_failure: open }");
  const creditGuard = replace("    purpose:", "    screen: [pii]\n    purpose:");
  const assistant = (line: string) => replace("    data_class:", `    ${line}\n    data_class:`);
  const risk = (tier: string) => replace("risk: limited", `risk: ${tier}`);
  const credit = (line: string) => replace("    purpose:", `    ${line}\n    purpose:`);
  const cases: [string, Edit[], string | undefined][] = [
    ["high, queued", [credit("durability: queued")], "durability: queued weakens the high risk tier"],
    ["high, sealed", [credit("durability: sealed")], undefined],
    ["high, digest", [credit("record: digest")], "record: digest weakens the high risk tier"],
    ["high, redacted", [credit("record: redacted")], "record: redacted weakens the high risk tier"],
    ["high, one person", [credit("release: one-person")], "release: one-person weakens the high risk tier"],
    [
      "high, slot with one person",
      [replace("release: four-eyes", "release: one-person")],
      'slot "scorecard" is released by one-person, which weakens the high risk tier',
    ],
    [
      "high, guard that opens",
      [guard, creditGuard],
      'guard "pii" opens when it fails, which weakens the high risk tier',
    ],
    ["limited, digest", [assistant("record: digest")], "record: digest weakens the limited risk tier"],
    ["limited, direct", [assistant("release: direct")], "release: direct weakens the limited risk tier"],
    ["limited, guard that opens", [guard], undefined],
    [
      "limited, more than asked",
      [assistant("durability: sealed"), assistant("record: full"), assistant("release: four-eyes")],
      undefined,
    ],
    [
      "minimal, everything light",
      [risk("minimal"), assistant("record: digest"), assistant("release: direct")],
      undefined,
    ],
  ];
  it.each(cases)("%s", (_, edits, message) => {
    expect(errorsOf(edits)).toEqual(message === undefined ? [] : [message]);
  });

  it.each([
    ["minimal", "open"],
    ["limited", "closed"],
    ["high", "closed"],
  ])("a guard of a %s use case fails %s by default", (tier, onFailure) => {
    const { snapshot } = compileBank(risk(tier));
    expect(snapshot.useCases.get("assistant")?.screen[0]?.onFailure).toBe(onFailure);
  });
});

describe("when a rung is final", () => {
  const ladder = (rungs: string) => replace("[qwen-small, gpt-main,", `[${rungs},`);
  const decide = replace(
    "    cache:",
    "    decide: [{ when: confidence < 0.5, climb: true }, { result: answered }]\n    cache:",
  );
  const check = replace("    screen: [pii]", "    screen: [pii]\n    check: [pii]");
  const cases: [string, Edit[], string][] = [
    ["by default at the first byte", [], "first-byte"],
    ["declared", [ladder("{ model: qwen-small, commit: complete }")], "complete"],
    ["a rule sees the whole answer", [decide], "complete"],
    ["an output guard reads along", [check], "first-byte"],
    [
      "an output guard of a high-risk use case reads along too",
      [check, replace("risk: limited", "risk: high")],
      "first-byte",
    ],
    ["an output guard that only records", [check, replace("action: redact", "action: allow")], "first-byte"],
    [
      "a rule without a condition",
      [replace("    cache:", "    decide: [{ result: answered }]\n    cache:")],
      "first-byte",
    ],
    [
      "a rule that always refers",
      [replace("    cache:", "    decide: [{ result: refer, to: desk }]\n    cache:")],
      "complete",
    ],
  ];
  it.each(cases)("%s", (_, edits, commit) => {
    expect(compileBank(...edits).snapshot.useCases.get("assistant")?.ladder[0]?.commit).toBe(commit);
  });

  it("an output guard leaves an explicit first-byte rung alone", () => {
    expect(errorsOf([check, ladder("{ model: qwen-small, commit: first-byte }")])).toEqual([]);
  });

  it.each([["a decide rule", decide]])("%s is refused on an explicit first-byte rung", (reason, edit) => {
    expect(errorsOf([edit, ladder("{ model: qwen-small, commit: first-byte }")])).toEqual([
      `${reason} must see the whole answer, so this rung can't be final at its first byte`,
    ]);
  });
});

describe("the hash", () => {
  const shuffled = (value: unknown, order: (keys: string[]) => string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
    if (typeof value !== "object" || value === null) return value;
    const entries = value as Record<string, unknown>;
    return Object.fromEntries(order(Object.keys(entries)).map((key) => [key, shuffled(entries[key], order)]));
  };

  it("does not depend on the order of keys", () => {
    const { snapshot } = compileBank();
    const data: unknown = parse(bankFiles["weir.yaml"]!);
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (weights) => {
        const order = (keys: string[]) =>
          keys.toSorted((a, b) => weights[a.length % 30]! - weights[b.length % 30]! || (a < b ? 1 : -1));
        const again = compileBank(write("weir.yaml", stringify(shuffled(data, order)))).snapshot;
        expect(again.hash).toBe(snapshot.hash);
        expect([...again.useCases.values()].map(({ bundle }) => bundle).toSorted()).toEqual(
          [...snapshot.useCases.values()].map(({ bundle }) => bundle).toSorted(),
        );
      }),
      { numRuns: 15 },
    );
  });

  it("canonical JSON is the same for equal values and parses back", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value, (keys) => keys.toReversed()))).toBe(text);
      }),
    );
  });

  it("is that of the same declaration split over imports, with paths moved along", () => {
    const text = bankFiles["weir.yaml"]!;
    const at = text.indexOf("use_cases:");
    const moved = text
      .slice(at)
      .replaceAll(/(prompts|schemas)\//g, "../$1/")
      .replace("./policies", "../policies");
    const { snapshot } = compileBank(
      write("weir.yaml", text.slice(0, at).replace("weir: 1\n", "weir: 1\nimports: [teams/credit.yaml]\n")),
      write("teams/credit.yaml", moved),
    );
    expect(snapshot.hash).toBe(compileBank().snapshot.hash);
  });
});

describe("what moves hash and bundles", () => {
  const cases: [string, Edit, string[]][] = [
    ["a comment", replace("weir: 1\n", "weir: 1 # one\n"), ["same hash"]],
    ["a default written out", replace("consent: required", "consent: required\n    retries: 1"), ["same hash"]],
    ["the prompt's text", write("prompts/assistant.md", "Answer briefly.\n"), ["assistant"]],
    ["a document", write("policies/cards.md", "# Cards\n"), ["assistant"]],
    ["a guard", replace("email, phone", "email"), ["assistant"]],
    ["a threshold", replace("0.72", "0.70"), ["credit"]],
    ["a model's file", write("models/scorecard-7.onnx", "other graph"), ["credit"]],
    ["a slot's start", replace("start: scorecard-7", "start: scorecard-8"), ["credit"]],
    ["the contract", replace("max: 600", "max: 700", "schemas/applicant.yaml"), ["credit"]],
    ["a vendor's model", replace("gpt-5.4", "gpt-5.5"), ["assistant"]],
    ["a price", replace("output: 15", "output: 16"), []],
    ["a budget", replace("usd: 4000", "usd: 5000"), []],
    ["a model card", write("cards/scorecard.md", "# Other\n"), []],
    ["the record policy", replace("    data_class:", "    record: full\n    data_class:"), []],
    ["the risk tier", replace("risk: limited", "risk: minimal"), []],
  ];
  it.each(cases)("%s", (_, edit, moved) => {
    const [before, after] = [compileBank().snapshot, compileBank(edit).snapshot];
    expect(before.hash === after.hash).toBe(moved[0] === "same hash");
    const changed = [...after.useCases.keys()].filter(
      (name) => after.useCases.get(name)!.bundle !== before.useCases.get(name)!.bundle,
    );
    expect(changed).toEqual(moved.filter((name) => name !== "same hash"));
  });
});
