/** What `weir init` writes: a configuration that compiles, serves without any credential, and shows what comes next. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files by path, relative to the folder that is initialised. */
export const starterFiles: Readonly<Record<string, string>> = {
  "weir.yaml": `# Weir's configuration. Check it with \`weir validate\`, see what a change does with \`weir plan\`, then \`weir apply\`.
weir: 1

server:
  host: 127.0.0.1 # loopback only; put TLS in front before you change it
  port: 8080
  ops_port: 9090 # /livez, /readyz, /metrics
  environment: dev # keys of another environment are refused

tenants:
  default:
    budget: { usd: 50, per: month, at_limit: block }

# A vendor is one entry away. Secrets are only ever named here, never written.
vendors: {}
#  openai: { dialect: openai, key: { env: OPENAI_API_KEY }, region: us, data_class: internal }
#  local: { dialect: openai, base_url: http://127.0.0.1:11434/v1, region: onprem, data_class: sensitive }

models: {}
#  gpt-main: { vendor: openai, model: NAME, price: { input: 2.50, output: 15, as_of: "2026-11-22" }, max_output: 16000 }
#  small: { vendor: local, model: qwen3:8b, price: free }

guards:
  secrets-and-cards: { detect: [card, iban], action: redact }

use_cases:
  assistant: # clients put this name where OpenAI clients put \`model\`
    kind: chat
    risk: limited
    data_class: internal
    owner: you@example.com
    prompt: prompts/assistant.md
    screen: [secrets-and-cards]
    ground: { folder: documents, passages: 4 }
    # The first rung that can answer does. \`extractive\` quotes the documents and needs no language model;
    # put \`small\` or \`gpt-main\` before it when you have one.
    ladder: [extractive, { template: "I can't answer that from the documents I have." }]
    cache: { exact: 10m }
`,
  "prompts/assistant.md": `You answer questions from the passages that you are given, and say so when they do not hold the answer.
`,
  "documents/welcome.md": `# Welcome

Weir answers from the Markdown files in this folder. Replace this one with your own documents.
`,
};

/** Writes the starter into a folder; throws, and writes nothing, where one of its files is there already. */
export function writeStarter(folder: string): string[] {
  const paths = Object.keys(starterFiles);
  const taken = paths.filter((path) => existsSync(join(folder, path)));
  if (taken.length > 0) {
    throw new Error(`${taken.map((path) => join(folder, path)).join(", ")}: there already; init in an empty folder`);
  }
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), starterFiles[path]!, { flag: "wx" });
  }
  return paths;
}
