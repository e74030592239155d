/** A small bank for the tests of this folder: the design's example with prices, in memory. */
import { compileConfig, type CompiledConfig, type CompileOptions, type CompileResult } from "./compile.ts";
import { mappedFiles } from "./files.ts";
import { printProblems } from "./problem.ts";

export const bankFiles: Readonly<Record<string, string>> = {
  "weir.yaml": `weir: 1
tenants:
  retail: { budget: { usd: 4000, per: month, at_limit: block }, residency: [eu, onprem] }
vendors:
  openai: { dialect: openai, key: { env: OPENAI_API_KEY }, region: us }
  local:  { dialect: openai, base_url: "http://127.0.0.1:11434/v1/", region: onprem }
models:
  gpt-main:    { vendor: openai, model: gpt-5.4, price: { input: 2.50, cached_input: 0.25, output: 15 }, max_output: 128000 }
  qwen-small:  { vendor: local, model: "qwen3:8b", price: free }
  scorecard-7: { runtime: onnx, file: models/scorecard-7.onnx, card: cards/scorecard.md }
  scorecard-8: { runtime: onnx, file: models/scorecard-8.onnx }
  baseline:    { runtime: rules, file: rules/credit.yaml }
slots:
  scorecard: { start: scorecard-7, release: four-eyes }
guards:
  pii: { detect: [card, iban, email, phone], action: redact }
use_cases:
  assistant:
    kind: chat
    risk: limited
    data_class: internal
    prompt: prompts/assistant.md
    screen: [pii]
    ground: { folder: ./policies, passages: 4 }
    ladder: [qwen-small, gpt-main, extractive, { template: "I can't answer that now." }]
    cache: { exact: 10m }
  credit:
    kind: score
    risk: high
    purpose: credit-check
    consent: required
    input: schemas/applicant.yaml
    ladder: [scorecard, baseline, { refer: underwriters }]
    decide:
      - { when: 'score >= 0.72', result: approve }
      - { when: 'score <= 0.35', result: decline }
      - { result: refer, to: underwriters }
`,
  "models/scorecard-7.onnx": "graph seven",
  "models/scorecard-8.onnx": "graph eight",
  "cards/scorecard.md": "# Card\n",
  "rules/credit.yaml": "rules: []\n",
  "prompts/assistant.md": "Answer from the passages.\n",
  "policies/fees.md": "# Fees\nThe account is free.\n",
  "policies/notes.txt": "not a document",
  "schemas/applicant.yaml": `contract: applicant
version: 1
score: P(good)
features:
  Income: { type: number, min: 0, nullable: true, unit: EUR per month }
  Time: { type: integer, min: 0, max: 600 }
  Job: { type: category, values: [fixed, freelance] }
protected:
  Age: { type: integer, immutable: true }
`,
};

export type Edit = (files: Record<string, string>) => void;

/** Replaces text in a file of the fixture; throws where it is not there, so that a test cannot miss its edit. */
export function replace(from: string, to: string, file = "weir.yaml"): Edit {
  return (files) => {
    const text = files[file];
    if (text === undefined || !text.includes(from)) throw new Error(`"${from}" is not in the fixture's ${file}`);
    files[file] = text.replace(from, to);
  };
}

export const write =
  (file: string, text: string): Edit =>
  (files) => {
    files[file] = text;
  };

const testSecrets = { env: (name: string) => `secret of ${name}`, file: (path: string) => `secret in ${path}\n` };

export function tryBank(edits: readonly Edit[] = [], options: Partial<CompileOptions> = {}): CompileResult {
  const files: Record<string, string> = { ...bankFiles };
  for (const edit of edits) edit(files);
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  return compileConfig("weir.yaml", mappedFiles(bytes), { secrets: testSecrets, ...options });
}

/** The fixture with edits, which must compile. */
export function compileBank(...edits: Edit[]): CompiledConfig {
  const result = tryBank(edits);
  if (!result.ok) throw new Error(printProblems(result.problems));
  return result.compiled;
}
