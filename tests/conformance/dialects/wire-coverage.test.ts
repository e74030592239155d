/** Every recorded file in ../shared/data/wire is read by some test: a file that none reads fails here. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vendorDialects } from "../../../src/engines/dialects/index.ts";
import type { ScriptedVendor } from "../../fixtures/scripted-vendor.ts";
import { ask, told } from "../../faults/vendor-house.ts";
import { type MatrixHouse, startMatrixHouse } from "./matrix-house.ts";

const root = resolve(import.meta.dirname, "../../..");
const wire = resolve(root, "../shared/data/wire");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

interface Reader {
  files: RegExp;
  test: string;
  /** How the test's source says that it reads this file: its folder where it walks that, else the file's own name. */
  says(folder: string, name: string): string;
}

const dialects = "src/engines/dialects";
const walked = (_folder: string, name: string) => (name.endsWith(".json") ? "readdirSync" : name);
const inFolder = (folder: string) => `"${folder}"`;
const byName = (_folder: string, name: string) => name;
const byStem = (_folder: string, name: string) => `"${name.replace(/\..*$/, "")}"`;
const byPath = (folder: string, name: string) => `${folder}/${name}`;
const byPathStem = (folder: string, name: string) => `${folder}/${name.replace(/\..*$/, "")}"`;

const readers: Reader[] = [
  { files: /^requests\/(completions|messages)\//, test: `${dialects}/wire-fixtures.test.ts`, says: inFolder },
  // Counts aren't answers: they are read below.
  {
    files: /^response\/(completions|anthropic)\/(?!count_tokens)/,
    test: `${dialects}/wire-fixtures.test.ts`,
    says: inFolder,
  },
  { files: /^response\/detect\/broken-sse$/, test: `${dialects}/wire-fixtures.test.ts`, says: byPath },
  { files: /^requests\/responses\//, test: `${dialects}/openai-responses/wire-fixtures.test.ts`, says: walked },
  { files: /^response\/responses\//, test: `${dialects}/openai-responses/wire-fixtures.test.ts`, says: walked },
  // No client speaks Gemini here, so that what passes through untouched is not taken: see below.
  { files: /^requests\/gemini\/(?!passthrough)/, test: `${dialects}/gemini/wire-fixtures.test.ts`, says: byName },
  { files: /^response\/vertex-gemini\//, test: `${dialects}/gemini/wire-fixtures.test.ts`, says: byName },
  {
    files: /^response\/bedrock\/(?!rerank)/,
    test: `${dialects}/bedrock-converse/answers.test.ts`,
    says: byStem,
  },
  { files: /^response\/detect\/bedrock-basic/, test: "tests/conformance/dialects/wire-coverage.test.ts", says: byName },
  {
    files: /^response\/detect\/bedrock-(broken|invoke)/,
    test: `${dialects}/bedrock-converse/answers.test.ts`,
    says: byPath,
  },
  { files: /^requests\/gemini\/passthrough/, test: "tests/conformance/dialects/wire-coverage.test.ts", says: byName },
  { files: /^requests\/(embeddings|rerank)\//, test: "src/engines/tasks/tasks.test.ts", says: byStem },
  { files: /(embeddings|rerank|rerank-no-details)\.json$/, test: "src/engines/tasks/tasks.test.ts", says: byPathStem },
  { files: /count[-_]tokens/, test: "tests/conformance/dialects/wire-coverage.test.ts", says: byName },
  {
    files: /^response\/detect\/(non-json|stream-image-generation)$/,
    test: "tests/conformance/dialects/wire-coverage.test.ts",
    says: byName,
  },
];

const files = present
  ? readdirSync(wire, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(wire.length + 1))
      .sort()
  : [];

describe.skipIf(!present)("recorded files", () => {
  it("are all there", () => expect(files.length).toBeGreaterThanOrEqual(109));

  it.each(files)("%s is read by a test that names it", (file) => {
    const reader = readers.find((each) => each.files.test(file));
    expect(reader, "no test reads it").toBeDefined();
    const [, , folder = "", name = ""] = /^(requests|response)\/([^/]+)\/(.+)$/.exec(file) ?? [];
    const source = readFileSync(join(root, reader!.test), "utf8");
    for (const said of ["data/wire", reader!.says(folder, name)])
      expect(source.includes(said), `${reader!.test} says ${said}`).toBe(true);
  });

  it.each(readers.map(({ files: pattern, test }) => [pattern, test] as const))("%s still means some files", (pattern) =>
    expect(files.filter((file) => pattern.test(file))).not.toEqual([]),
  );
});

describe.skipIf(!present)("recorded files that are no dialect's own", () => {
  let matrix: MatrixHouse;
  let vendor: ScriptedVendor;
  beforeAll(async () => {
    matrix = await startMatrixHouse();
    vendor = matrix.vendor;
  });
  afterAll(() => matrix.close());
  const textOf = (path: string) => readFileSync(join(wire, path), "utf8");

  it.each(["basic.json", "with_system.json"])(
    "count-tokens/%s is counted; the answer has the recorded form",
    async (name) => {
      const body = { ...(JSON.parse(textOf(`requests/count-tokens/${name}`)) as object), model: "anthropic-messages" };
      const response = await matrix.house.post("/v1/messages/count_tokens", body, { "x-api-key": matrix.key });
      const counted = (await response.json()) as Record<string, unknown>;
      const recorded = JSON.parse(textOf("response/anthropic/count_tokens.json")) as object;
      expect(Object.keys(counted)).toEqual(Object.keys(recorded));
      expect(counted["input_tokens"]).toBeGreaterThan(4);
      expect(vendor.received).toHaveLength(0);
    },
  );

  it("gemini/passthrough-fields.json is not taken: clients don't speak Gemini here", async () => {
    const body = JSON.parse(textOf("requests/gemini/passthrough-fields.json")) as object;
    for (const path of ["/v1beta/models/gemini:generateContent", "/models/gemini:streamGenerateContent?alt=sse"]) {
      const response = await matrix.house.post(path, body, { "x-goog-api-key": matrix.key });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "route_not_found" });
    }
    expect(vendor.received).toHaveLength(0);
  });

  it("detect/non-json is no answer, whole or streamed", async () => {
    const body = textOf("response/detect/non-json");
    for (const stream of [false, true]) {
      vendor.play({ lie: { contentType: stream ? "text/event-stream" : "application/json", body } });
      const answer = await told(await ask(matrix.house.origin, matrix.key, { useCase: "openai-chat", stream }));
      expect(answer).toMatchObject({ status: 502, code: "ladder_exhausted", text: "" });
    }
  });

  it.each(Object.entries(vendorDialects).filter(([name]) => name !== "bedrock-converse"))(
    "detect/stream-image-generation is no answer to a chat in %s",
    (_name, dialect) => {
      const decoder = dialect.openDecoder();
      const stream = dialect.openStream();
      const records = [
        ...decoder.push(Buffer.from(textOf("response/detect/stream-image-generation"))),
        ...decoder.end(),
      ];
      const types = records.flatMap((record) => stream.decode(record)).map(({ type }) => type);
      expect(types).not.toContain("end");
      expect(types).not.toContain("text");
    },
  );

  it("detect/bedrock-basic.bin is read as the stream that it is", () => {
    const decoder = vendorDialects["bedrock-converse"].openDecoder();
    const stream = vendorDialects["bedrock-converse"].openStream();
    const records = decoder.push(readFileSync(join(wire, "response/detect/bedrock-basic.bin")));
    const events = records.flatMap((record) => stream.decode(record));
    expect(events.at(0)?.type).toBe("start");
    expect(events.at(-1)).toEqual({ type: "end" });
    expect(events.find(({ type }) => type === "usage")).toMatchObject({ usage: { estimated: false } });
  });
});
