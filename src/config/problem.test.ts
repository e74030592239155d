import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Edit, replace, tryBank, write } from "./bank-fixture.ts";
import { closest, editDistance, printProblem } from "./problem.ts";

const problemsOf = (edits: readonly Edit[], severity = "error") => {
  const result = tryBank(edits, { detectors: ["card", "iban", "email", "phone"] });
  return (result.ok ? result.warnings : result.problems).filter((problem) => problem.severity === severity);
};

/** [what is wrong, edits, line, column, message contains, fix contains] */
const cases: [string, Edit[], number, number, string, string?][] = [
  ["no YAML", [replace("tenants:", "tenants: [")], 4, 1, "Flow sequence"],
  [
    "a key twice",
    [replace("    risk: limited\n", "    risk: limited\n    risk: high\n")],
    21,
    5,
    "keys must be unique",
  ],
  ["unknown key", [replace("    prompt:", "    promt:")], 22, 5, 'unknown key "promt"', 'did you mean "prompt"?'],
  [
    "unknown section",
    [replace("use_cases:", "usecases:")],
    17,
    1,
    'unknown key "usecases"',
    'did you mean "use_cases"?',
  ],
  [
    "unknown key deep inside",
    [replace("usd: 4000", "eur: 4000")],
    3,
    23,
    'unknown key "eur"',
    "known here: usd, per, at_limit",
  ],
  ["missing key", [replace("    kind: chat\n", "")], 18, 3, '"kind" is missing', "chat | score"],
  ["wrong value", [replace("risk: high", "risk: hihg")], 29, 11, '"hihg" is not allowed here', 'did you mean "high"?'],
  ["wrong type", [replace("passages: 4", "passages: many")], 24, 45, 'expected a number, found "many"'],
  ["wrong version", [replace("weir: 1", "weir: 2")], 1, 7, "2 is not allowed here"],
  ["wrong name", [replace("  pii:", "  _pii:")], 16, 3, "a name has 1 to 64"],
  ["duration without a unit", [replace("exact: 10m", "exact: 10")], 26, 21, "expected text, found 10"],
  ["duration of nothing", [replace("exact: 10m", "exact: 0s")], 26, 21, "more than zero"],
  ["inexact price", [replace("input: 2.50", "input: 2.5000000001")], 8, 66, "finer than 1 femto-USD"],
  ["negative price", [replace("output: 15", "output: -15")], 8, 100, "non-negative USD amount"],
  ["budget beyond safe integers", [replace("usd: 4000", "usd: 10000000")], 3, 28, "not a whole number of nano-USD"],
  ["secret in the file", [replace("{ env: OPENAI_API_KEY }", "sk-123")], 5, 35, "expected an object with keys"],
  ["credentials in an address", [replace("http://127.0.0.1", "http://me:pw@127.0.0.1")], 6, 40, "holds no user"],
  [
    "unknown model",
    [replace("[scorecard,", "[scorcard,")],
    33,
    14,
    'no model or slot "scorcard"',
    'did you mean "scorecard"?',
  ],
  [
    "unknown slot",
    [replace("[scorecard,", "[{ slot: scorcard },")],
    33,
    22,
    'no slot "scorcard"',
    'did you mean "scorecard"?',
  ],
  [
    "unknown model of a slot",
    [replace("start: scorecard-7", "start: scorecard7")],
    14,
    23,
    'no model "scorecard7"',
    "scorecard-7",
  ],
  [
    "unknown vendor",
    [replace("{ vendor: openai", "{ vendor: opnai")],
    8,
    26,
    'no vendor "opnai"',
    'did you mean "openai"?',
  ],
  ["unknown guard", [replace("[pii]", "[pi]")], 23, 14, 'no guard "pi"', 'did you mean "pii"?'],
  ["unknown detector", [replace("email,", "e-mail,")], 16, 31, 'no detector "e-mail"', 'did you mean "email"?'],
  [
    "unknown tenant",
    [replace("    consent:", "    tenants: [retial]\n    consent:")],
    31,
    15,
    'no tenant "retial"',
    '"retail"',
  ],
  ["missing file", [replace("prompts/assistant.md", "prompts/asistant.md")], 22, 13, "no file", "prompts/assistant.md"],
  ["no documents", [replace("./policies", "./policy")], 24, 23, "no Markdown files"],
  ["documents beside everything else", [replace("./policies", "./")], 24, 23, "folder of their own"],
  [
    "wrong digest",
    [replace("card: cards/scorecard.md", `sha256: ${"f".repeat(64)}`)],
    10,
    72,
    "another digest",
    "write sha256: ",
  ],
  [
    "condition on something unknown",
    [replace("score <= 0.35", "scor <= 0.35")],
    36,
    18,
    "Unknown variable: scor",
    '"score"',
  ],
  [
    "condition wrong in its middle",
    [replace("score <= 0.35", "score <= 0.35 && features.Incom > 1")],
    36,
    44,
    "No such key: Incom",
    '"Income"',
  ],
  ["condition on what is protected", [replace("score <= 0.35", "features.Age < 25")], 36, 27, "No such key: Age"],
  ["condition that is no bool", [replace("score <= 0.35", "score + 0.35")], 36, 18, "this is double"],
  [
    "score without rules",
    [(files) => void (files["weir.yaml"] = files["weir.yaml"]!.replace(/ {4}decide:[\s\S]*/, ""))],
    27,
    3,
    "no decide rules",
  ],
  [
    "rules that are not total",
    [replace("      - { result: refer, to: underwriters }\n", "")],
    36,
    9,
    "some scores would have no result",
  ],
  ["rule that is never reached", [replace("{ when: 'score >= 0.72', result", "{ result")], 35, 9, "never reached"],
  ["refer to nobody", [replace("{ result: refer, to: underwriters }", "{ result: refer }")], 37, 9, "needs the queue"],
  [
    "rung that is never reached",
    [replace("baseline, { refer: underwriters }", "{ refer: underwriters }, baseline")],
    33,
    25,
    "never reached",
  ],
  ["text as a score", [replace("[scorecard, baseline,", "[scorecard, qwen-small,")], 33, 25, "answers with text"],
  ["score as text", [replace("[qwen-small,", "[baseline,")], 25, 14, "scores features"],
  [
    "extractive without documents",
    [replace("    ground: { folder: ./policies, passages: 4 }\n", "")],
    24,
    36,
    "nothing is retrieved",
  ],
  ["no contract", [replace("    input: schemas/applicant.yaml\n", "")], 27, 3, "no feature contract"],
  ["price unknown", [replace(", price: free", "")], 9, 3, "no worst case"],
  ["longest answer unknown", [replace(", max_output: 128000", "")], 8, 3, "no max_output"],
  ["vendor without a key", [replace(", key: { env: OPENAI_API_KEY }", "")], 5, 3, "has no key"],
  [
    "class below the features'",
    [replace("    purpose:", "    data_class: internal\n    purpose:")],
    30,
    17,
    "personal features",
  ],
  ["pinned name in a file", [replace("  baseline:", "  baseline@3:")], 12, 3, "reserved"],
  ["import that is not there", [replace("weir: 1\n", "weir: 1\nimports: [more.yaml]\n")], 2, 11, 'no file "more.yaml"'],
];

describe("problems of a configuration", () => {
  it.each(cases)("%s", (_, edits, line, column, message, fix) => {
    const problems = problemsOf(edits);
    const texts = problems.map(
      (problem) => `${problem.line}:${problem.column} ${problem.message} (${problem.fix ?? ""})`,
    );
    const found = problems.find((problem) => problem.line === line && problem.column === column);
    expect(found, texts.join("\n")).toBeDefined();
    expect(found!.message).toContain(message);
    if (fix !== undefined) expect(found!.fix).toContain(fix);
  });

  it("are named with the file that an entry stands in", () => {
    const imported = "use_cases:\n  faq:\n    kind: chat\n    ladder: [gpt-mian]\n    prompt: faq.md\n";
    const problems = problemsOf([
      replace("weir: 1\n", "weir: 1\nimports: [extra/faq.yaml]\n"),
      write("extra/faq.yaml", imported),
    ]);
    expect(problems.map(({ file, line, column, message }) => [file, line, column, message])).toEqual([
      ["extra/faq.yaml", 4, 14, 'there is no model or slot "gpt-mian"'],
      ["extra/faq.yaml", 5, 13, 'there is no file "extra/faq.md"'],
    ]);
  });

  it("name an entry that two files declare", () => {
    const problems = problemsOf([
      replace("weir: 1\n", "weir: 1\nimports: [more.yaml]\n"),
      write("more.yaml", "guards:\n  pii: { detect: [card], action: block }\n"),
    ]);
    expect(problems).toMatchObject([
      { file: "more.yaml", line: 2, column: 3, message: '"pii" is declared in weir.yaml already' },
    ]);
  });

  it("stand in the contract's own file", () => {
    const problems = problemsOf([replace("nullable: true", "nulable: true", "schemas/applicant.yaml")]);
    expect(problems[0]).toMatchObject({ file: "schemas/applicant.yaml", line: 5, fix: 'did you mean "nullable"?' });
  });

  it("come all at once: wrong shapes do not hide wrong references, and cause no further ones", () => {
    const edits = [
      replace(", price: free", ", prise: free"),
      replace("[pii]", "[pi]"),
      replace("score <= 0.35", "scor <= 0.35"),
    ];
    expect(problemsOf(edits).map(({ message }) => message)).toEqual([
      'unknown key "prise"',
      'there is no guard "pi"',
      "condition: Unknown variable: scor",
    ]);
  });

  it.each([
    [
      "an alias bomb",
      `weir: 1\na: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c]\n`,
      "cannot be expanded",
    ],
    ["an empty file", "", "expected an object with keys, found nothing"],
    ["a list", "- weir: 1\n", "expected an object with keys, found a list"],
    [
      "names of the prototype",
      "weir: 1\ntenants: { a: {} }\nuse_cases:\n  __proto__: { kind: chat, ladder: [constructor] }\n  x: { kind: chat, ladder: [constructor] }\n",
      'no model or slot "constructor"',
    ],
  ])("survive %s", (_, text, message) => {
    const problems = problemsOf([write("weir.yaml", text)]);
    expect(problems.map((problem) => problem.message).join("\n")).toContain(message);
  });

  it("warn of rungs that can never serve", () => {
    const warnings = problemsOf(
      [replace("data_class: internal", "data_class: personal\n    regions: [onprem]")],
      "warning",
    );
    expect(warnings.map(({ message }) => message)).toEqual([
      '"qwen-small" is never eligible for personal data: vendor "local" covers only internal',
      '"gpt-main" is never eligible for personal data: vendor "openai" covers only internal',
      '"gpt-main" is never eligible: vendor "openai" is in us, allowed is onprem',
    ]);
  });

  it("print with the line, a caret and the fix", () => {
    expect(problemsOf([replace("[pii]", "[pi]")]).map(printProblem)).toEqual([
      [
        'weir.yaml:23:14: error: there is no guard "pi" (at use_cases.assistant.screen.0)',
        "  23 |     screen: [pi]",
        "     |              ^",
        '  fix: did you mean "pii"?',
      ].join("\n"),
    ]);
  });
});

describe("did you mean", () => {
  it("finds neighbours and leaves strangers alone", () => {
    expect(closest("opneai", ["openai", "anthropic"])).toBe("openai");
    expect(closest("Openai", ["openai"])).toBe("openai");
    expect(closest("mistral", ["openai", "anthropic"])).toBeUndefined();
    expect(closest("pi", ["pii", "secrets"])).toBe("pii");
  });

  it("measures an edit distance: symmetric, zero only for equals, at most the longer length", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
