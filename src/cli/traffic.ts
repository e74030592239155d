import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { Pool } from "undici";
import { readEnvironment } from "../config/index.ts";
import { pause, systemClock } from "../kernel/clock.ts";
import { type Applicant, heldOutApplicants } from "./applicants.ts";

interface TrafficCommand {
  useCase: string;
  rate: string;
  count?: string;
  url: string;
  key?: string;
  seed: string;
}

const bank = fileURLToPath(new URL("../../examples/bank/", import.meta.url));
const maxRate = 500;

export function addTraffic(program: Command): void {
  program
    .command("traffic")
    .description("send the bank's held-out applicants as live traffic, marked synthetic in the record")
    .option("--key <key>", "an API key; default: the one in WEIR_API_KEY")
    .option("--use-case <name>", "the use case to call", "credit")
    .option("--rate <per second>", `requests a second, up to ${maxRate}`, "20")
    .option("--count <requests>", "how many; default: until stopped with Ctrl+C")
    .option("--url <origin>", "the server", "http://127.0.0.1:8080")
    .option("--seed <number>", "of the order in which applicants are drawn again", "1")
    .action(run);
}

interface Tally {
  sent: number;
  running: number;
  byResult: Map<string, number>;
  slowestMs: number;
}

async function run(options: TrafficCommand): Promise<void> {
  const key = options.key ?? readEnvironment().apiKey;
  if (key === undefined) throw new Error("an API key is needed: --key, or WEIR_API_KEY; npm start prints one");
  const rate = positive("--rate", options.rate, maxRate);
  const count = options.count === undefined ? Infinity : positive("--count", options.count, Number.MAX_SAFE_INTEGER);
  const applicants = endless(heldOutApplicants(bank), Number(options.seed));
  const pool = new Pool(options.url, { connections: 64 });
  const tally: Tally = { sent: 0, running: 0, byResult: new Map(), slowestMs: 0 };
  const stopped = new AbortController();
  process.once("SIGINT", () => stopped.abort());
  const started = systemClock.monotonic();
  const draw = progress(tally, count, started);
  try {
    while (tally.sent < count && !stopped.signal.aborted) {
      // By elapsed time rather than by a fixed pause: what a slow moment missed is made up for.
      const due = Math.min(count, Math.floor(((systemClock.monotonic() - started) / 1000) * rate) + 1);
      while (tally.sent < due) {
        tally.sent += 1;
        void send(pool, options.useCase, key, applicants.next().value, tally);
      }
      draw();
      await pause(Math.min(200, 1000 / rate), stopped.signal);
    }
    while (tally.running > 0) await pause(20);
  } finally {
    draw(true);
    await pool.close();
  }
  const failed = [...tally.byResult].filter(([result]) => /^\d|^no answer/.test(result));
  if (failed.length > 0)
    throw new Error(`some requests were not decided: ${failed.map(([what, n]) => `${n} × ${what}`).join(", ")}`);
}

async function send(pool: Pool, useCase: string, key: string, { body, subject }: Drawn, tally: Tally): Promise<void> {
  const started = systemClock.monotonic();
  tally.running += 1;
  let result: string;
  try {
    const response = await pool.request({
      method: "POST",
      path: `/v1/decisions/${encodeURIComponent(useCase)}`,
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "x-weir-subject": subject,
        "x-weir-consent": "loan-application-2026",
        "x-weir-synthetic": "true",
      },
      body: JSON.stringify(body),
    });
    const answer = (await response.body.json()) as { result?: string; code?: string };
    result = answer.result ?? `${response.statusCode} ${answer.code ?? ""}`.trim();
  } catch (fault) {
    result = `no answer (${(fault as { code?: string }).code ?? "fault"})`;
  }
  tally.running -= 1;
  tally.slowestMs = Math.max(tally.slowestMs, systemClock.monotonic() - started);
  tally.byResult.set(result, (tally.byResult.get(result) ?? 0) + 1);
}

interface Drawn {
  body: Applicant["body"];
  subject: string;
}

/** Every held-out applicant once, in order; then drawn again at random, each time as another person. */
function* endless(applicants: readonly Applicant[], seed: number): Generator<Drawn, never> {
  const start = systemClock.now().toString(36);
  for (const { row, body } of applicants) yield { body, subject: `applicant-${row}` };
  let state = seed >>> 0 || 1;
  for (let again = 0; ; again++) {
    // Xorshift (Marsaglia 2003): the same seed draws the same rows.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const { row, body } = applicants[(state >>> 0) % applicants.length]!;
    yield { body, subject: `applicant-${row}-${start}-${again}` };
  }
}

function progress(tally: Tally, count: number, started: number): (last?: boolean) => void {
  let printed = 0;
  return (last = false) => {
    const now = systemClock.monotonic();
    if (!last && now - printed < 250) return;
    printed = now;
    const seconds = (now - started) / 1000;
    const done = tally.sent - tally.running;
    const share = Number.isFinite(count) ? Math.round((done / count) * 24) : 0;
    const bar = Number.isFinite(count)
      ? `[${"█".repeat(share)}${"·".repeat(24 - share)}] ${done}/${count}`
      : `${done} sent`;
    const results = [...tally.byResult]
      .sort()
      .map(([result, n]) => `${result} ${n}`)
      .join(" · ");
    const line = `${bar}  ${(done / Math.max(seconds, 0.001)).toFixed(0)}/s  slowest ${tally.slowestMs.toFixed(0)} ms  ${results}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}${last ? "\n" : ""}` : last ? `${line}\n` : "");
  };
}

function positive(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!(value > 0 && value <= most))
    throw new Error(`${name} must be a number above 0${most === maxRate ? ` and at most ${maxRate}` : ""}`);
  return value;
}
