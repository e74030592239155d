import { describe, expect, it } from "vitest";
import type { DialectName } from "../../kernel/chat.ts";
import { fillTemplate, keyProblem, parameterNames, presetNames, presetOf, presetOfDialect } from "./index.ts";

const placeholders = (text = "") => [...text.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1]!);

describe.each(presetNames)("preset %s", (name) => {
  const preset = presetOf(name);
  const declared = [...(preset.required ?? []), ...(preset.optional ?? [])];

  it("declares every parameter of its address, and no other", () => {
    const used = [preset.baseUrl, preset.globalBaseUrl, preset.query].flatMap(placeholders);
    expect(new Set(used.filter((one) => one !== "model"))).toEqual(new Set(declared));
    for (const one of declared) expect(parameterNames).toContain(one);
    // What the address needs can't be optional; a query may be left out.
    for (const one of placeholders(preset.baseUrl)) if (one !== "model") expect(preset.required).toContain(one);
  });

  it("has an address that is whole once it is filled, and documentation", () => {
    const values = Object.fromEntries(parameterNames.map((parameter) => [parameter, "x1"]));
    if (preset.baseUrl !== undefined) {
      const filled = fillTemplate(preset.baseUrl, values).replace("{model}", "m");
      expect(filled).not.toMatch(/[{}]|\/$/);
      expect(new URL(filled).protocol).toBe(preset.keyless ? "http:" : "https:");
    }
    expect(preset.docs).toMatch(/^https:\/\//);
    if (preset.keyless) expect(preset.keyEnv).toBeUndefined();
  });

  it("has quirks only for dialects that it speaks", () => {
    for (const dialect in preset.quirks) expect(preset.dialects).toContain(dialect as DialectName);
  });
});

describe("presets", () => {
  it("leave a placeholder that nothing is known of", () => {
    expect(fillTemplate("https://{resource}.x/{model}", { resource: "r" })).toBe("https://r.x/{model}");
  });
  it("know who came up with a dialect", () => {
    expect(presetOfDialect("bedrock-converse")).toBe("bedrock");
    expect(() => presetOfDialect("openai-completions")).toThrow(TypeError);
  });
  it("let no beta through twice, nor one that is no dated name", () => {
    for (const name of presetNames) {
      const betas = presetOf(name).betas ?? [];
      expect(new Set(betas).size).toBe(betas.length);
      for (const beta of betas) expect(beta).toMatch(/^[a-z0-9-]+-20\d\d-\d\d-\d\d$/);
    }
  });
});

describe("the shape of a key", () => {
  const account = (key: unknown) => JSON.stringify({ client_email: "a@b", private_key: key });
  const aws = { type: "aws-sigv4", region: "eu-west-1", service: "bedrock" } as const;
  const pem = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n";
  it.each([
    [{ type: "bearer" }, "sk-abc", true],
    [{ type: "bearer" }, "sk-abc\r\nx: y", false],
    [{ type: "header", name: "api-key" }, "schlüssel", false],
    [{ type: "none" }, "anything\n", true],
    [aws, "AKIA1:se/cr+et", true],
    [aws, "AKIA1:se/cr+et:tok/en==", true],
    [aws, "AKIA1", false],
    [aws, "AKIA1:a:b:c", false],
    [{ type: "google-service-account" }, account(pem), true],
    [{ type: "google-service-account" }, account("hush"), false],
    [{ type: "google-service-account" }, "hush", false],
    [{ type: "google-service-account" }, "null", false],
  ] as const)("%o takes %j: %s", (auth, secret, fits) => {
    const problem = keyProblem(auth, secret);
    expect(problem === undefined).toBe(fits);
    expect(problem ?? "").not.toMatch(/hush|AKIA1|schlüssel/);
  });
});
