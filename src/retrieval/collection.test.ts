import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCollection, type SourceFile } from "./index.ts";

const file = (path: string, text: string): SourceFile => ({ path, bytes: () => new TextEncoder().encode(text) });
const policy = (path: string, groups: string, body: string) =>
  file(path, `---\ntitle: ${path.replace(".md", "")}\nreviewed: 2026-10-01\ngroups: [${groups}]\n---\n\n${body}\n`);

const cards = policy("cards.md", "public", "A lost card is blocked by telephone. A new card costs 10 euros.");
const loans = policy("loans.md", "public", "A loan is repaid in monthly instalments. The term is at most 84 months.");
const limits = policy("limits.md", "staff", "For staff: a lost card of a loan customer is replaced free of charge.");
const fraud = policy("fraud.md", "staff, fraud-team", "Suspicious card payments are reported by telephone.");

describe("openCollection", () => {
  const search = openCollection("policies", [cards, loans, limits, fraud]);

  it("finds the passage, with offsets into the source file", () => {
    const [best] = search.search("What does a new card cost?", 4, []);
    expect(best).toMatchObject({ source: "cards.md", title: "cards", groups: ["public"], reviewed: "2026-10-01" });
    const text = new TextDecoder().decode(cards.bytes());
    expect(text.slice(best!.start, best!.end)).toBe(best!.text);
    expect(best!.text).toMatch(/^A lost card .* 10 euros\.$/);
  });

  it("ranks the more specific passage first and holds to the count", () => {
    expect(search.search("monthly loan instalments", 1, ["staff"]).map((passage) => passage.source)).toEqual([
      "loans.md",
    ]);
    expect(search.search("card", 0, [])).toEqual([]);
    expect(search.search("", 4, [])).toEqual([]);
    expect(search.search("the of and", 4, [])).toEqual([]);
  });

  const readers: [groups: string[], sources: string[]][] = [
    [[], ["cards.md"]],
    [["public"], ["cards.md"]],
    [["customers", "constructor"], ["cards.md"]],
    [["staff"], ["cards.md", "fraud.md", "limits.md"]],
    [["fraud-team"], ["cards.md", "fraud.md"]],
  ];
  it.each(readers)("shows a caller with %j only its own", (groups, sources) => {
    const found = search.search("card", 10, groups).map((passage) => passage.source);
    expect(found.sort()).toEqual(sources);
  });

  it("answers as if hidden sources did not exist, scores included", () => {
    const word = fc.constantFrom("card", "loan", "fee", "euro", "branch", "limit", "rate", "transfer");
    const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => `${words.join(" ")}.`);
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 6 }),
        fc.array(text, { minLength: 1, maxLength: 6 }),
        text,
        (open, hidden, query) => {
          const visible = open.map((body, i) => policy(`a${i}.md`, "public", body));
          const secret = hidden.map((body, i) => policy(`${i % 2 ? "b" : "A"}${i}.md`, "staff", body));
          const alone = openCollection("x", visible);
          const beside = openCollection("x", [...visible, ...secret]);
          // The staff index is built first, so that nothing of it could be reused.
          beside.search(query, 10, ["staff"]);
          expect(beside.search(query, 10, ["guests"])).toEqual(alone.search(query, 10, []));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("stays right when more sets of groups ask than indexes are kept", () => {
    const groups = Array.from({ length: 24 }, (_, i) => `g${i}`);
    const many = openCollection(
      "x",
      groups.map((group) => policy(`${group}.md`, group, `Secret of ${group} about cards.`)),
    );
    for (const group of [...groups, ...groups]) {
      expect(many.search("card", 10, [group]).map((passage) => passage.source)).toEqual([`${group}.md`]);
    }
  });

  it("has a generation that names and contents alone decide", () => {
    const generation = (...files: SourceFile[]) => openCollection("x", files).generation;
    expect(generation(cards, loans)).toBe(generation(loans, cards));
    expect(generation(cards, loans)).toMatch(/^[0-9a-f]{64}$/);
    const different = [
      generation(cards, loans),
      generation(cards),
      generation(),
      generation(cards, file("loans2.md", new TextDecoder().decode(loans.bytes()))),
      generation(cards, file("loans.md", new TextDecoder().decode(loans.bytes()) + " ")),
      generation(file("a", "bc")),
      generation(file("ab", "c")),
    ];
    expect(new Set(different).size).toBe(different.length);
  });

  it("keeps passages within a section, headings in the title, and fences whole", () => {
    const long = `${"A sentence about fees that takes some room in its paragraph. ".repeat(40)}`.trim();
    const text = `# Guide\n\nIntro to cards.\n\nStill intro.\n\n## Fees\n\n${long}\n\n### Loans\n\n\`\`\`\ncode\n\n# no heading\n\`\`\`\n`;
    const guide = openCollection("x", [file("guide.md", text)]);
    const all = guide.search("intro card sentence fee code loan heading", 50, []).sort((a, b) => a.start - b.start);
    expect(all).toHaveLength(guide.size);
    expect(all[0]).toMatchObject({ title: "Guide", text: "Intro to cards.\n\nStill intro." });
    expect(all.slice(1, -1).every((passage) => passage.title === "Guide › Fees" && passage.text.length <= 700)).toBe(
      true,
    );
    expect(all.at(-1)).toMatchObject({ title: "Guide › Fees › Loans", text: "```\ncode\n\n# no heading\n```" });
    for (const { start, end, text: quoted } of all) expect(text.slice(start, end)).toBe(quoted);
  });

  it("gives true offsets whatever the Markdown", () => {
    const line = fc.constantFrom(
      "# Head",
      "",
      "  ",
      "Some text. More.",
      "- item",
      "```",
      "| a | b |",
      "---",
      "ünïcode 🙂.",
      "> quote",
    );
    const ending = fc.constantFrom("\n", "\r\n");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), ending, fc.boolean(), (lines, newline, front) => {
        const text = (front ? `---${newline}title: T${newline}---${newline}` : "\uFEFFx ") + lines.join(newline);
        const found = openCollection("x", [file("f.md", text)]).search("some text item head quote unicode x t", 50, []);
        for (const passage of found) expect(text.slice(passage.start, passage.end)).toBe(passage.text);
      }),
    );
  });

  const wrong: [what: string, text: string, message: RegExp][] = [
    ["an unclosed front matter", "---\ntitle: x\n\nbody", /f\.md: line 1: .*no closing ---/],
    ["broken YAML", "---\ntitle: x\ngroups: [a\n---\nbody", /f\.md: line \d+, column \d+: /],
    ["an unknown key", "---\ngroup: staff\n---\nbody", /f\.md: front matter: unknown key group/],
    ["groups as text", "---\ngroups: staff\n---\nbody", /f\.md: front matter: groups: /],
    ["no groups at all", "---\ngroups: []\n---\nbody", /f\.md: front matter: groups: /],
    ["an impossible date", "---\nreviewed: 2026-02-30\n---\nbody", /f\.md: front matter: reviewed: /],
  ];
  it.each(wrong)("refuses %s, naming the file", (_what, text, message) => {
    expect(() => openCollection("x", [file("f.md", text)])).toThrow(message);
  });

  it("cuts text without full stops, and keeps every word findable", () => {
    const words = Array.from({ length: 1500 }, (_, i) => `word${i}`);
    const text = `\`\`\`\n${words.join(" ")}\n${"x".repeat(5000)}\n\`\`\`\n`;
    const listing = openCollection("x", [file("f.md", text)]);
    for (const word of ["word0", "word77", "word700", "word1499"]) {
      const [found] = listing.search(word, 1, []);
      expect(found?.text.split(/\s+/)).toContain(word);
      expect(found!.text.length).toBeLessThanOrEqual(1400);
      expect(text.slice(found!.start, found!.end)).toBe(found!.text);
    }
  });

  it("refuses a file named twice", () => {
    expect(() => openCollection("policies", [cards, loans, cards])).toThrow(/cards\.md: .*twice/);
  });

  it("refuses bytes that are no text", () => {
    expect(() => openCollection("x", [{ path: "f.md", bytes: () => Uint8Array.of(0xff, 0xfe, 0) }])).toThrow(
      /f\.md: not UTF-8/,
    );
  });
});
