/** Every subject for its minutes, two at a time, each in a thread; a hang or a crash is a finding and the thread goes on behind it. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { FuzzJob, FuzzMessage } from "./fuzz-worker.ts";
import { type Finding, findingOf, keyOf } from "./fuzz.ts";
import { inputOf } from "./inputs.ts";
import type { Target } from "./target.ts";
import { allTargets, subjectsOf } from "./targets.ts";
import { wirePresent } from "./wire-files.ts";

export interface SubjectReport {
  subject: string;
  targets: string[];
  seconds: number;
  inputs: number;
  findings: Finding[];
}

export interface FuzzReport {
  runSeed: number;
  minutes: number;
  recordings: boolean;
  subjects: SubjectReport[];
}

const hangMs = 10_000;
const lookEveryMs = 500;
const atATime = 2;

export async function fuzzAll(
  options: { minutes: number; runSeed: number; subjects?: readonly string[] },
  say: (text: string) => void,
): Promise<FuzzReport> {
  const targets = allTargets();
  const waiting = subjectsOf(targets).filter((subject) => options.subjects?.includes(subject) ?? true);
  if (waiting.length === 0) throw new Error(`no such dialect; take ${subjectsOf(targets).join(", ")}`);
  const order = [...waiting];
  const reports: SubjectReport[] = [];
  const next = async (): Promise<void> => {
    for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) {
      const own = targets.filter((target) => target.subject === subject);
      const report = await fuzzSubject(subject, own, options);
      reports.push(report);
      say(`${subject}: ${report.inputs} inputs in ${Math.round(report.seconds)} s, ${report.findings.length} findings`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, next));
  reports.sort((a, b) => order.indexOf(a.subject) - order.indexOf(b.subject));
  return { runSeed: options.runSeed, minutes: options.minutes, recordings: wirePresent, subjects: reports };
}

async function fuzzSubject(
  subject: string,
  targets: readonly Target[],
  { minutes, runSeed }: { minutes: number; runSeed: number },
): Promise<SubjectReport> {
  const started = Date.now();
  const untilMs = started + minutes * 60_000;
  const findings = new Map<string, Finding>();
  let inputs = 0;
  for (let from = 0; Date.now() < untilMs;) {
    const progress = new Int32Array(new SharedArrayBuffer(12));
    const ended = await watched({ subject, runSeed, from, untilMs, progress: progress.buffer }, progress, (found) =>
      findings.set(keyOf(found), found),
    );
    inputs += Atomics.load(progress, 2);
    if (ended === "done") break;
    const number = Atomics.load(progress, 1);
    const target = targets[Atomics.load(progress, 0)]!;
    const input = inputOf(target, runSeed, number);
    const told = { target: target.name, inputNumber: number, ...input, place: "" };
    const lost: Finding = { ...told, rule: ended.rule, message: ended.message };
    if (!findings.has(keyOf(lost))) findings.set(keyOf(lost), lost);
    from = number + 1;
  }
  return {
    subject,
    targets: targets.map(({ name }) => name),
    seconds: (Date.now() - started) / 1000,
    inputs,
    findings: [...findings.values()],
  };
}

type Ended = "done" | { rule: "hang" | "crash"; message: string };

function watched(job: FuzzJob, progress: Int32Array, found: (finding: Finding) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL("fuzz-worker.ts", import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    let seen = -1;
    let since = Date.now();
    const end = (ended: Ended) => {
      clearInterval(watch);
      resolve(ended);
      void worker.terminate();
    };
    const watch = setInterval(() => {
      const count = Atomics.load(progress, 2);
      if (count !== seen || count === 0) {
        seen = count;
        since = Date.now();
      } else if (Date.now() - since > hangMs) end({ rule: "hang", message: `no end after ${hangMs} ms` });
    }, lookEveryMs);
    worker.on("message", (message: FuzzMessage) => (message === "done" ? end("done") : found(message.finding)));
    worker.once("error", (fault: Error) => end({ rule: "crash", message: String(fault) }));
  });
}

interface KeptFinding {
  target: string;
  rule: string;
  message: string;
  place: string;
  salt: number;
  reproduce: string;
  /** As text where it is text, to be read; the bytes are what is replayed. */
  text?: string;
  bytes_base64: string;
}

/** Writes each finding to a file of its own; returns their paths. */
export function keep(findings: readonly Finding[], folder: string): string[] {
  if (findings.length > 0) mkdirSync(folder, { recursive: true });
  return findings.map((finding) => {
    const { target, rule, message, place, salt } = finding;
    const bytes = Buffer.from(finding.bytes);
    const name = `${target.replaceAll("/", "-")}-${createHash("sha256").update(keyOf(finding)).digest("hex").slice(0, 8)}.json`;
    const path = join(folder, name);
    const text = bytes.toString("utf8");
    const kept: KeptFinding = {
      target,
      rule,
      message: message.slice(0, 2000),
      place,
      salt,
      reproduce: `npm run proof -- --replay ${path}`,
      ...(bytes.length < 20_000 && Buffer.from(text).equals(bytes) && { text }),
      bytes_base64: bytes.toString("base64"),
    };
    writeFileSync(path, `${JSON.stringify(kept, null, 1)}\n`);
    return path;
  });
}

/** Runs a kept input again; `undefined` where nothing is wrong with it any more. */
export function replay(path: string): Finding | undefined {
  const kept = JSON.parse(readFileSync(path, "utf8")) as KeptFinding;
  const target = allTargets().find(({ name }) => name === kept.target);
  if (!target) throw new Error(`${path}: there is no target ${kept.target} any more`);
  return findingOf(target, { bytes: Buffer.from(kept.bytes_base64, "base64"), salt: kept.salt }, 0);
}
