/** What is made from the schema: the starter, the JSON Schemas, the reference page; and the environment. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bankFiles } from "./bank-fixture.ts";
import { compileConfig, loadConfig } from "./compile.ts";
import { dataPaths, processSecrets, readEnvironment } from "./environment.ts";
import { mappedFiles } from "./files.ts";
import { starterFiles, writeStarter } from "./init.ts";
import { configJsonSchema, contractJsonSchema } from "./json-schema.ts";
import { printProblems } from "./problem.ts";
import { configReference } from "./reference.ts";

const none = { env: () => undefined, file: () => undefined };
const starter = (text: string) =>
  mappedFiles(
    new Map(
      Object.entries({ ...starterFiles, "weir.yaml": text }).map(([path, content]) => [path, Buffer.from(content)]),
    ),
  );

describe("weir init", () => {
  it("writes what compiles without any credential, problem or warning", () => {
    const result = compileConfig("weir.yaml", starter(starterFiles["weir.yaml"]!), { secrets: none });
    expect(result.ok ? printProblems(result.warnings) : printProblems(result.problems)).toBe("");
  });

  it("shows examples that compile when they are uncommented", () => {
    const text = starterFiles["weir.yaml"]!.replaceAll(/^(vendors|models): \{\}$/gm, "$1:").replaceAll(
      /^# {2}(?=\w+(-\w+)?: \{)/gm,
      "  ",
    );
    const result = compileConfig("weir.yaml", starter(text), { secrets: { ...none, env: () => "key" } });
    expect(result.ok ? [...result.compiled.snapshot.models.keys()] : printProblems(result.problems)).toEqual([
      "gpt-main",
      "small",
      "extractive",
      "detectors",
    ]);
  });
});

describe("weir init on disk", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "weir-init-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("writes files that load from there", () => {
    expect(writeStarter(folder)).toContain("weir.yaml");
    expect(loadConfig(join(folder, "weir.yaml"), { secrets: none })).toMatchObject({ ok: true, warnings: [] });
  });

  it("never overwrites, and then writes nothing", () => {
    writeFileSync(join(folder, "weir.yaml"), "mine");
    expect(() => writeStarter(folder)).toThrow("there already");
    expect(readFileSync(join(folder, "weir.yaml"), "utf8")).toBe("mine");
    expect(existsSync(join(folder, "prompts"))).toBe(false);
  });

  it("a file that is not there is a problem that says what to do", () => {
    const result = loadConfig(join(folder, "weir.yaml"), { secrets: none });
    expect(result.ok ? "" : printProblems(result.problems)).toContain("weir.yaml:1:1: error: there is no such file");
  });
});

describe("the bank example", () => {
  const main = resolve(import.meta.dirname, "../../examples/bank/weir.yaml");

  it.skipIf(!existsSync(main))("compiles without any credential, problem or warning", () => {
    const result = loadConfig(main, { secrets: { ...none } });
    expect(result.ok ? printProblems(result.warnings) : printProblems(result.problems)).toBe("");
  });
});

describe("JSON Schema", () => {
  const ajv = new Ajv2020({ allowUnionTypes: true, strict: true });
  const config = ajv.compile(configJsonSchema());
  const contract = ajv.compile(contractJsonSchema());

  it("accepts what compiles", () => {
    expect(config(parse(starterFiles["weir.yaml"]!)), JSON.stringify(config.errors)).toBe(true);
    expect(config(parse(bankFiles["weir.yaml"]!)), JSON.stringify(config.errors)).toBe(true);
    expect(contract(parse(bankFiles["schemas/applicant.yaml"]!))).toBe(true);
  });

  it("refuses unknown keys, wrong values and wrong durations", () => {
    const bank = bankFiles["weir.yaml"]!;
    for (const [from, to] of [
      ["prompt:", "promt:"],
      ["risk: high", "risk: hihg"],
      ["exact: 10m", "exact: 10 m"],
    ] as const) {
      expect(config(parse(bank.replace(from, to))), to).toBe(false);
    }
  });

  it("describes every field", () => {
    interface Node {
      description?: string;
      properties?: Record<string, Node>;
      items?: Node;
      anyOf?: Node[];
      additionalProperties?: Node | false;
    }
    const undescribed: string[] = [];
    const walk = (node: Node, path: string): void => {
      for (const [key, value] of Object.entries(node.properties ?? {})) {
        if (!value.description && !value.anyOf?.some(({ description }) => description))
          undescribed.push(`${path}.${key}`);
        walk(value, `${path}.${key}`);
      }
      for (const inner of [node.items, ...(node.anyOf ?? []), node.additionalProperties]) if (inner) walk(inner, path);
    };
    walk(configJsonSchema() as Node, "config");
    walk(contractJsonSchema() as Node, "contract");
    expect(undescribed).toEqual([]);
  });
});

describe("reference page", () => {
  const page = configReference();

  it("has a row for every key and a section for every object", () => {
    for (const text of [
      "| `use_cases` |",
      "## `use_cases.NAME`",
      "## `models.NAME` with `runtime: onnx`",
      "## `use_cases.NAME.decide[]` with `climb: true`",
      "| `deadline` | duration |",
      "`principal.groups: list<string>`",
    ]) {
      expect(page).toContain(text);
    }
  });

  it("has well-formed tables and no empty meaning", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `") && !line.includes("with `features`"));
    expect(rows.length).toBeGreaterThan(90);
    for (const row of rows) expect(row).not.toMatch(/\| {0,2}\|$/);
  });
});

describe("environment", () => {
  it("has defaults, and takes what is set", () => {
    expect(readEnvironment({})).toEqual({
      dataDir: ".weir",
      configFile: "weir.yaml",
      keyFile: undefined,
      color: true,
    });
    expect(readEnvironment({ WEIR_DATA_DIR: " /data ", WEIR_CONFIG: "", NO_COLOR: "1" })).toMatchObject({
      dataDir: "/data",
      configFile: "weir.yaml",
      color: false,
    });
  });

  it("names where data lies, and takes the key-encryption key from elsewhere", () => {
    expect(dataPaths("/data").ledger).toBe("/data/ledger");
    expect(dataPaths("/data").keyEncryption).toBe("/data/keys/key-encryption.key");
    expect(dataPaths("/data", "/safe/kek").keyEncryption).toBe("/safe/kek");
  });

  it("gives secrets from variables and files, and nothing for what is not there", () => {
    const secrets = processSecrets(import.meta.dirname, { KEY: "value" });
    expect(secrets.env("KEY")).toBe("value");
    expect(secrets.env("OTHER")).toBeUndefined();
    expect(secrets.file("documents.test.ts")).toContain("gives secrets");
    expect(secrets.file("no-such-file")).toBeUndefined();
  });
});
