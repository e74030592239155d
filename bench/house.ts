/** Weir as a company would start it: a configuration in a folder of its own, keys minted by the CLI, `weir start`. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bankExample } from "./cases.ts";

const cli = fileURLToPath(new URL("../src/cli/weir.ts", import.meta.url));
const run = promisify(execFile);
const readyWithinMs = 30_000;

const manifest = new URL("../package.json", import.meta.url);

/** How `weir start` runs Node (bin/weir.mjs). */
const shipped = (JSON.parse(readFileSync(manifest, "utf8")) as { config: { node_flags: string; code_cache: string } })
  .config;
const codeCache = fileURLToPath(new URL(shipped.code_cache, manifest));

const scoreModels = `  credit-boosted: { runtime: onnx, file: models/credit-boosted.onnx, card: cards/credit-boosted.md }
  baseline: { runtime: rules, file: rules/credit.yaml, card: cards/credit-baseline.md }
slots:
  scorecard: { start: credit-boosted, release: four-eyes }
`;

const scoreUseCases = `  credit: &credit
    kind: score
    risk: high
    data_class: personal
    limits: *limits
    purpose: credit-check
    basis: Art. 6(1)(b) GDPR, steps before a contract
    consent: required
    input: schemas/applicant.yaml
    ladder: [scorecard, baseline, { refer: underwriters }]
    decide:
      - { when: score >= 0.76, result: approve }
      - { when: score <= 0.40, result: decline }
      - { result: refer, to: underwriters }
  credit-limited:
    kind: score
    risk: limited
    data_class: personal
    limits: *limits
    purpose: credit-check
    basis: Art. 6(1)(b) GDPR, steps before a contract
    consent: required
    input: schemas/applicant.yaml
    ladder: [scorecard, baseline, { refer: underwriters }]
    decide:
      - { when: score >= 0.76, result: approve }
      - { when: score <= 0.40, result: decline }
      - { result: refer, to: underwriters }
`;

interface BenchShape {
  /** Without them a gateway alone: no model runs in the process. */
  scores: boolean;
  /** Calls that the vendor is declared to bear at once; learned unless given. */
  atOnce?: number;
}

export function benchConfiguration(upstreamPort: number, { scores, atOnce }: BenchShape): string {
  const capacity = atOnce === undefined ? "" : `, capacity: { least: ${atOnce}, initial: ${atOnce}, most: ${atOnce} }`;
  return `weir: 1
server: { port: 0, ops_port: 0, console: false, environment: prod }
ledger: { checkpoints: [{ file: ../checkpoints }] }
consents: consents.yaml
tenants:
  lindenbank:
    budget: { usd: 1000000, per: month, at_limit: block }
    residency: [eu, onprem]
    limits: &limits { requests_per_minute: 1000000000, tokens_per_minute: 1000000000, concurrency: 100000 }
vendors:
  mock: { dialect: openai, base_url: "http://127.0.0.1:${upstreamPort}/v1", key: { env: BENCH_VENDOR_KEY }, region: eu${capacity} }
models:
  chat:
    vendor: mock
    model: bench-model
    price: { input: 0.25, cached_input: 0.025, output: 2, as_of: "2026-08-21" }
    max_output: 2048
${scores ? scoreModels : ""}guards:
  personal-data: { detect: [card, iban, email, phone, national-id], action: redact }
  secrets: { detect: [secret, card-security-code], action: block }
use_cases:
  chat-digest:
    kind: chat
    risk: minimal
    record: digest
    data_class: internal
    limits: *limits
    screen: [secrets, personal-data]
    check: [secrets, personal-data]
    ladder: [chat, { template: "I can't answer that now." }]
  chat-redacted:
    kind: chat
    risk: limited
    record: redacted
    data_class: internal
    limits: *limits
    screen: [secrets, personal-data]
    check: [secrets, personal-data]
    ladder: [chat, { template: "I can't answer that now." }]
  stream:
    kind: chat
    risk: limited
    data_class: internal
    limits: *limits
    screen: [secrets, personal-data]
    ladder: [chat, { template: "I can't answer that now." }]
  chat-cached:
    kind: chat
    risk: minimal
    record: digest
    data_class: internal
    limits: *limits
    screen: [secrets, personal-data]
    ladder: [chat]
    cache: { exact: 1h }
${scores ? scoreUseCases : ""}`;
}

export interface BenchHouse {
  child: ChildProcess;
  pid: number;
  port: number;
  opsPort: number;
  key: string;
  unknownKey: string;
  data: string;
  /** What it wrote to stderr. */
  log(): string;
  stop(): Promise<void>;
}

export async function startHouse(
  folder: string,
  upstreamPort: number,
  more: {
    /** Beside those it ships with. */
    nodeFlags?: readonly string[];
    /** Of weir.yaml; the bench's own unless given. */
    configure?: (upstreamPort: number) => string;
  } = {},
): Promise<BenchHouse> {
  const root = join(folder, "config");
  const data = join(folder, "data");
  mkdirSync(root, { recursive: true });
  for (const part of ["models", "cards", "rules", "schemas", "consents.yaml"])
    cpSync(join(bankExample, part), join(root, part), { recursive: true });
  const file = join(root, "weir.yaml");
  writeFileSync(file, more.configure?.(upstreamPort) ?? benchConfiguration(upstreamPort, { scores: true }));
  const env = { ...process.env, BENCH_VENDOR_KEY: "bench-vendor-key", NODE_COMPILE_CACHE: codeCache };
  const mint = async (where: string) => {
    const command = [
      cli,
      "keys",
      "mint",
      "--data",
      where,
      "--tenant",
      "lindenbank",
      "--label",
      "bench",
      "--environment",
      "prod",
    ];
    return (await run(process.execPath, command, { env })).stdout.trim();
  };
  const key = await mint(data);
  // Well-formed and of the right environment, but of another installation.
  const unknownKey = await mint(join(folder, "elsewhere"));
  const flags = [...shipped.node_flags.split(" "), ...(more.nodeFlags ?? [])];
  const child = spawn(process.execPath, [...flags, cli, "start", "--config", file, "--data", data], {
    env,
    stdio: ["ignore", "inherit", "pipe"],
  });
  const { origin, ops, log } = await serving(child);
  return {
    child,
    pid: child.pid!,
    key,
    unknownKey,
    data,
    log,
    port: Number(new URL(origin).port),
    opsPort: Number(new URL(ops).port),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    },
  };
}

function serving(child: ChildProcess): Promise<{ origin: string; ops: string; log: () => string }> {
  let text = "";
  return new Promise((resolve, reject) => {
    const give = (why: string) => reject(new Error(`weir start ${why}:\n${text}`));
    const tooLate = setTimeout(() => give(`was not ready within ${readyWithinMs} ms`), readyWithinMs);
    child.once("exit", (code) => give(`ended with code ${code}`));
    child.stderr!.on("data", (data: Buffer) => {
      text = (text + data.toString()).slice(-20_000);
      const line = text.split("\n").find((candidate) => candidate.includes('"message":"serving"'));
      if (line === undefined) return;
      clearTimeout(tooLate);
      const { origin, ops } = JSON.parse(line) as { origin: string; ops: string };
      resolve({ origin, ops, log: () => text });
    });
  });
}

/** On a connection of its own, which is closed: open sockets are counted. */
const metricsOf = (house: BenchHouse): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port: house.opsPort, path: "/metrics", agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve(Buffer.concat(chunks).toString("utf8"));
    }).once("error", reject);
  });

/** Sum of a counter or gauge over its labels, from /metrics. */
export async function counterOf(house: BenchHouse, name: string): Promise<number> {
  const text = await metricsOf(house);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** `weir verify` over what the run recorded. */
export async function verify(house: BenchHouse): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, [cli, "verify", "--data", house.data], { maxBuffer: 1 << 24 });
  return `${stdout}${stderr}`.trim();
}
