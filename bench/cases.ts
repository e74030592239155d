/** What is measured: each case with its requests, the systems that take it, and the design's target. */
import { fileURLToPath } from "node:url";
import { heldOutApplicants } from "../src/cli/applicants.ts";
import type { Define } from "./generator.ts";
import { prose } from "./prose.ts";

export const chunkCount = 64;
export const chunkEveryMs = 1;
/** Of every answer of the mock vendor. */
export const vendorId = "chatcmpl-bench";

export const systemNames = ["direct", "nginx", "bare", "portkey", "weir"] as const;
export type SystemName = (typeof systemNames)[number];

export interface Case {
  name: string;
  /** What it shows, for the report. */
  about: string;
  /** Use case of the bench's configuration. */
  useCase: string;
  /** Cases of one group are compared with the same reference measurements. */
  group: "chat-1k" | "chat-32k" | "stream" | "calm-stream" | "own";
  /** The systems besides Weir that take this case; those of a group's first case serve the whole group. */
  references: readonly SystemName[];
  status: string;
  /** Design §7, µs of CPU per request. */
  targetUs?: number;
  /** Requests a second that one core shall bear: completed ÷ CPU seconds. */
  targetPerCore?: number;
  /** How many times cheaper than the peer it shall be. */
  targetTimesPeer?: number;
  /** Where it differs from the run's. */
  connections?: number;
  key?: "valid" | "unknown";
  requests(key: string, upstreamPort: number): Define;
}

export const bankExample = fileURLToPath(new URL("../examples/bank/", import.meta.url));
const variants = 64;
const all: readonly SystemName[] = ["bare", "nginx", "direct", "portkey"];

function http(path: string, headers: Record<string, string>, body: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  const lines = Object.entries({
    host: "127.0.0.1",
    "content-type": "application/json",
    ...headers,
    "content-length": json.length,
  });
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`),
    json,
  ]);
}

/** What Portkey reads its vendor from; nobody else looks at it, so that all are sent the same bytes. */
const portkeyHeaders = (upstreamPort: number) => ({
  "x-portkey-provider": "openai",
  "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
});

interface ChatKind {
  sizeBytes: number;
  /** Each has another prompt, so that nothing is answered or scanned by remembering. */
  prompts?: number;
  more?: object;
}

/** `sizeBytes` is the body's. */
function chats(
  name: string,
  useCase: string,
  { sizeBytes, prompts = variants, more = {} }: ChatKind,
): Case["requests"] {
  return (key, upstreamPort) => ({
    name,
    requests: Array.from({ length: prompts }, (_, i) => {
      const body = (prompt: string) => ({
        model: useCase,
        messages: [
          { role: "system", content: "You answer questions about the bank's products in two sentences." },
          { role: "user", content: prompt },
        ],
        temperature: 0.2,
        max_tokens: 256,
        ...more,
      });
      const room = sizeBytes - JSON.stringify(body("")).length;
      const headers = { authorization: `Bearer ${key}`, ...portkeyHeaders(upstreamPort) };
      return http("/v1/chat/completions", headers, body(prose(i, room)));
    }),
  });
}

function applicants(name: string, useCase: string, subject: "known" | "new"): Case["requests"] {
  return (key) => {
    // Ten characters that the generator replaces by a serial number.
    const blank = "0000000000";
    const requests = heldOutApplicants(bankExample)
      .slice(0, 256)
      .map(({ row, body }) =>
        http(
          `/v1/decisions/${useCase}`,
          {
            "x-weir-subject": subject === "new" ? `applicant-${blank}` : `applicant-${row}`,
            "x-weir-consent": "loan-application-2026",
            authorization: `Bearer ${key}`,
          },
          body,
        ),
      );
    if (subject === "known") return { name, requests };
    return { name, requests, serialAt: requests[0]!.indexOf(blank), serialLength: blank.length };
  };
}

const kb = 1024;

export const cases: readonly Case[] = [
  {
    name: "chat-1k-digest",
    about: "1 KB JSON chat; identity, limits, money, guards in and out, journal; record: digest (nothing encrypted)",
    useCase: "chat-digest",
    group: "chat-1k",
    references: all,
    status: "200",
    targetUs: 60,
    targetTimesPeer: 9,
    requests: chats("chat-1k-digest", "chat-digest", { sizeBytes: kb }),
  },
  {
    name: "chat-1k-redacted",
    about: "the same with record: redacted (content encrypted)",
    useCase: "chat-redacted",
    group: "chat-1k",
    references: [],
    status: "200",
    targetUs: 75,
    requests: chats("chat-1k-redacted", "chat-redacted", { sizeBytes: kb }),
  },
  {
    name: "chat-32k-digest",
    about: "32 KB JSON chat, cold guard scan, record: digest",
    useCase: "chat-digest",
    group: "chat-32k",
    references: ["bare", "nginx", "portkey"],
    status: "200",
    targetUs: 140,
    targetTimesPeer: 5,
    requests: chats("chat-32k-digest", "chat-digest", { sizeBytes: 32 * kb }),
  },
  {
    name: "chat-32k-redacted",
    about: "the same with record: redacted (content encrypted)",
    useCase: "chat-redacted",
    group: "chat-32k",
    references: [],
    status: "200",
    targetUs: 220,
    requests: chats("chat-32k-redacted", "chat-redacted", { sizeBytes: 32 * kb }),
  },
  {
    name: "chat-100k-tokens",
    about:
      "400 KB prompt, about 100,000 tokens; identity, limits, money, guards in and out, journal; record: digest. Tokens are estimated before the call (the hold) and settled from the vendor's report",
    useCase: "chat-digest",
    group: "own",
    references: ["bare"],
    status: "200",
    targetPerCore: 40,
    connections: 8,
    requests: chats("chat-100k-tokens", "chat-digest", { sizeBytes: 400 * kb, prompts: 12 }),
  },
  {
    name: "stream",
    about: `SSE, ${chunkCount} chunks ${chunkEveryMs} ms apart, passed through; input guards, record: redacted`,
    useCase: "stream",
    group: "stream",
    references: all,
    status: "200",
    targetUs: 16 * chunkCount,
    requests: chats("stream", "stream", { sizeBytes: kb, more: { stream: true } }),
  },
  {
    name: "calm-stream",
    about: "the same with 4 streams at a time, so that nobody waits for a processor: the added time to first byte",
    useCase: "stream",
    group: "calm-stream",
    references: ["bare", "nginx", "direct"],
    status: "200",
    connections: 4,
    requests: chats("calm-stream", "stream", { sizeBytes: kb, more: { stream: true } }),
  },
  {
    name: "cache-hit",
    about: "1 KB chat answered from the exact cache, record: digest",
    useCase: "chat-cached",
    group: "own",
    references: [],
    status: "200",
    targetUs: 30,
    requests: chats("cache-hit", "chat-cached", { sizeBytes: kb }),
  },
  {
    name: "score-limited",
    about: "score decision with the bank's boosted model over HTTP; tier limited (queued), known subjects",
    useCase: "credit-limited",
    group: "own",
    references: [],
    status: "200",
    targetUs: 150,
    requests: applicants("score-limited", "credit-limited", "known"),
  },
  {
    name: "score-high",
    about: "the same in tier high: sealed (begun and settled durable before the answer), full record",
    useCase: "credit",
    group: "own",
    references: [],
    status: "200",
    targetUs: 150,
    requests: applicants("score-high", "credit", "known"),
  },
  {
    name: "score-high-new",
    about: "the same with a subject never seen before in each request: a content key is made, kept and synced for each",
    useCase: "credit",
    group: "own",
    references: [],
    status: "200",
    requests: applicants("score-high-new", "credit", "new"),
  },
  {
    name: "bad-key",
    about: "1 KB chat with a well-formed key that this installation does not know",
    useCase: "chat-digest",
    group: "own",
    references: [],
    status: "401",
    key: "unknown",
    requests: chats("bad-key", "chat-digest", { sizeBytes: kb }),
  },
];

/** One request of the stream case. */
export const streamRequest = (key: string): Buffer =>
  chats("held-stream", "stream", { sizeBytes: kb, prompts: 1, more: { stream: true } })(key, 0).requests[0]!;

export const quickCases: readonly string[] = ["chat-1k-redacted", "stream", "cache-hit", "score-high", "bad-key"];
