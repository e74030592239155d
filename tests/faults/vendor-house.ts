/** A Weir whose vendors are scripted: configuration text, records of single decisions, metrics, and optionally virtual time. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilesSnapshotStore, applyConfig, loadConfig, printProblems } from "../../src/config/index.ts";
import { detectorNames } from "../../src/engines/detectors/index.ts";
import { VirtualClock } from "../../src/kernel/clock.ts";
import type { AttemptMeta, SettledMeta } from "../../src/kernel/decision.ts";
import { type StoredEntry, readEntries } from "../../src/ledger/index.ts";
import { type Running, start } from "../../src/main.ts";
import { FileFault, type FilePort, nodeFiles } from "../../src/stores/files/index.ts";
import { createLog } from "../../src/telemetry/index.ts";

// Tests of single faults make hundreds of them: what breakers and retry budgets make of that has tests of its own.
const patient = "health: { failures: 1000000, failure_rate: 1, retry_share: 1 }";

/** A one-file configuration: both vendors at `origin`, a paid and a free model of each. */
export const vendorConfig = (origin: string, useCases: string, more = ""): string => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
vendors:
  oa: { dialect: openai, base_url: "${origin}/v1", region: eu, data_class: sensitive, ${patient} }
  ob: { dialect: openai, base_url: "${origin}/second/v1", region: eu, data_class: sensitive, ${patient} }
  an: { dialect: anthropic, base_url: "${origin}", region: eu, data_class: sensitive, ${patient} }
  nowhere: { dialect: openai, base_url: "http://127.0.0.1:9/v1", region: eu, data_class: sensitive }
models:
  oa-main: { vendor: oa, model: gpt-vendor, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000 }
  ob-main: { vendor: ob, model: gpt-second, price: free }
  an-main: { vendor: an, model: claude-vendor, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000 }
  lost: { vendor: nowhere, model: m, price: free }
guards:
  secrets: { detect: [secret, card-security-code], action: block }
  cards: { detect: [card, iban], action: block }
  personal: { detect: [card, iban, email], action: redact }
${more.includes("tenants:") ? more : `tenants:\n  lindenbank: {}\n${more}`}
use_cases:
${useCases
  .split("\n")
  .map((line) => (line.trim() === "" ? "" : `  ${line}`))
  .join("\n")}
`;

export interface Recorded {
  begun: StoredEntry[];
  attempts: AttemptMeta[];
  settled: SettledMeta[];
}

/** Every entry of the house's journal that is on disk, in order. */
export async function entriesOf(running: Running): Promise<StoredEntry[]> {
  await running.house.journal.flush();
  const entries: StoredEntry[] = [];
  for await (const stored of readEntries({ dir: running.house.paths.ledger, files: nodeFiles, node: "server" }))
    entries.push(stored);
  return entries;
}

export async function recordOf(running: Running, decision: string | null): Promise<Recorded> {
  const own = (await entriesOf(running)).filter(({ entry }) => entry.decision === decision);
  const of = (kind: string) => own.filter(({ entry }) => entry.kind === kind);
  return {
    begun: of("begun"),
    attempts: of("attempt").map(({ entry }) => entry.meta as unknown as AttemptMeta),
    settled: of("settled").map(({ entry }) => entry.meta as unknown as SettledMeta),
  };
}

/** Sum of a metric over its labels, as /metrics prints it; `labels` is text that must stand in the sample's name. */
export function metric(running: Running, name: string, labels = ""): number {
  let sum = 0;
  for (const line of running.house.metrics.print().split("\n")) {
    const [sample, value] = line.split(/ (?=[^ ]+$)/);
    if ((sample === name || sample?.startsWith(`${name}{`)) && sample.includes(labels)) sum += Number(value);
  }
  return sum;
}

/** Resolves after a turn of the event loop in which `holds` is true. Events are what moves it on, never a timer. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, turns = 200_000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    if (await holds()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error(`it never came to this: ${what}`);
}

/** What may not be left over when nothing runs. */
export const leftovers = (running: Running) => ({
  running: running.house.limits.running,
  held: Number(running.house.money.held),
  flights: metric(running, "weir_cache_flights"),
});

export interface TimedHouse extends Running {
  clock: VirtualClock;
  key: string;
  /** Id of the key, for revoking it. */
  keyId: string;
  close(): Promise<void>;
}

/** A Weir on virtual time: its timeouts, deadlines, back-offs and watches run only by `clock.advance`. */
export async function startOnClock(
  clock: VirtualClock,
  weirYaml: string,
  files?: FilePort,
  env: Readonly<Record<string, string>> = {},
): Promise<TimedHouse> {
  const folder = mkdtempSync(join(tmpdir(), "weir-timed-"));
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  writeFileSync(join(folder, "weir.yaml"), weirYaml);
  const secrets = { env: (name: string) => env[name], file: () => undefined };
  const result = loadConfig(join(folder, "weir.yaml"), { detectors: detectorNames, secrets });
  if (!result.ok) throw new Error(printProblems(result.problems));
  const applied = await applyConfig(new FilesSnapshotStore(dataDir), result.compiled, {
    clock,
    activate: true,
    appliedBy: "test",
  });
  if (!applied.ok) throw new Error(printProblems(applied.problems));
  const running = await start({
    settings: { ...result.compiled, ledger: { checkpoints: [] } },
    root: folder,
    dataDir,
    secrets,
    clock,
    log: createLog(clock, () => {}),
    version: "0.0.0-test",
    ...(files && { files }),
  });
  const principal = { type: "service", id: "test" } as const;
  const minted = running.admin.keys.mint({ label: "test", tenant: "lindenbank", principal, use_cases: ["*"] }).commit();
  running.house.directory.refresh();
  return {
    ...running,
    clock,
    key: minted.key,
    keyId: minted.record.id,
    async close() {
      const stopped = running.stop(1000);
      // What is still open at the end of the grace time is cut, which virtual time has to reach.
      await clock.advance(1001);
      await stopped;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Virtual time that tells when somebody goes to sleep on it (a back-off), so that a test moves time only then. */
export class WatchedClock extends VirtualClock {
  readonly sleeps: number[] = [];
  #waiting: (() => void)[] = [];

  override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    const slept = super.sleep(delayMs, signal);
    this.sleeps.push(delayMs);
    for (const wake of this.#waiting.splice(0)) wake();
    return slept;
  }

  /** The length of the sleep with this index, once it has begun. */
  async sleepNumber(index: number): Promise<number> {
    while (this.sleeps.length <= index) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.sleeps[index]!;
  }
}

export interface Question {
  useCase: string;
  stream?: boolean;
  dialect?: "openai" | "anthropic";
  text?: string;
  headers?: Record<string, string>;
  more?: Record<string, unknown>;
  signal?: AbortSignal;
}

export function ask(origin: string, key: string, question: Question): Promise<Response> {
  const {
    useCase,
    stream = false,
    dialect = "openai",
    text = "What is a sight deposit?",
    headers,
    more,
    signal,
  } = question;
  return fetch(`${origin}${dialect === "openai" ? "/v1/chat/completions" : "/v1/messages"}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({
      model: useCase,
      messages: [{ role: "user", content: text }],
      ...(dialect === "anthropic" && { max_tokens: 100 }),
      ...(stream && { stream }),
      ...more,
    }),
    ...(signal && { signal }),
  });
}

export interface Told {
  status: number;
  headers: Headers;
  body: string;
  /** The answer's text, whole or put together from a stream's events. */
  text: string;
  /** The error's code, from an envelope or a stream's error event. */
  code: string | undefined;
  /** True where the dialect's terminator was seen, or the answer came in one piece. */
  whole: boolean;
}

/** Reads a response of either dialect to its end. */
export async function told(response: Response): Promise<Told> {
  const body = await response.text();
  const { status, headers } = response;
  if (!headers.get("content-type")?.startsWith("text/event-stream")) {
    const value = JSON.parse(body) as Shape;
    const text = value.choices?.[0]?.message?.content ?? value.content?.map((part) => part.text ?? "").join("") ?? "";
    return { status, headers, body, text, code: value.error?.code ?? value.code, whole: true };
  }
  let text = "";
  let code: string | undefined;
  let whole = false;
  for (const line of body.split("\n")) {
    if (!line.startsWith("data: ")) continue;
    if (line === "data: [DONE]") {
      whole = true;
      continue;
    }
    const event = JSON.parse(line.slice(6)) as Shape;
    text += event.choices?.[0]?.delta?.content ?? event.delta?.text ?? "";
    if (event.type === "message_stop") whole = true;
    if (event.error) code = event.error.code ?? "";
  }
  return { status, headers, body, text, code, whole };
}

interface Shape {
  type?: string;
  code?: string;
  error?: { code?: string };
  content?: { text?: string }[];
  delta?: { text?: string };
  choices?: { message?: { content?: string }; delta?: { content?: string } }[];
}

/** Lets what lies in loopback sockets be read: vendor, Weir and client share this event loop. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export interface GatedFiles {
  files: FilePort;
  /** From now on writes wait; settles when the first one does. */
  shut(): Promise<void>;
  /** From now on writes fail as on a full disk; settles when the first one has. */
  fill(): Promise<void>;
  open(): void;
}

/** The machine's files, whose writes can be made to wait or to fail. */
export function gatedFiles(): GatedFiles {
  let gate: Promise<void> | undefined;
  let full = false;
  let open = () => {};
  let seen = () => {};
  const firstWrite = () => new Promise<void>((resolve) => (seen = resolve));
  const files: FilePort = {
    ...nodeFiles,
    async open(path, options) {
      const file = await nodeFiles.open(path, options);
      return {
        size: () => file.size(),
        datasync: () => file.datasync(),
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
        async write(bytes, offset) {
          if (gate || full) seen();
          if (full) throw new FileFault("ENOSPC", path, `there is no space left for ${path}`);
          await gate;
          return file.write(bytes, offset);
        },
      };
    },
  };
  return {
    files,
    shut() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      open = resolve;
      return firstWrite();
    },
    fill() {
      full = true;
      return firstWrite();
    },
    open() {
      gate = undefined;
      full = false;
      open();
    },
  };
}
