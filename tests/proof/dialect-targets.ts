/** Every reader in the registries of dialects as a target: streams, whole answers and errors of vendors, requests of clients. */
import type { ChatEvent, ChatRequest, ChatResponse } from "../../src/kernel/chat.ts";
import { eventsOf } from "../../src/kernel/chat-stream.ts";
import { clientDialects, vendorDialects } from "../../src/engines/dialects/index.ts";
import type { ClientDialect, VendorDialect } from "../../src/engines/dialects/port.ts";
import { demandAnswer, demandEvents, demandUsage, endsWell, terminators } from "./oracles.ts";
import { randomFrom } from "./random.ts";
import { foreignSeeds, sampleAnswers, sampleRequest } from "./sample-answers.ts";
import { type Target, demand } from "./target.ts";
import { wireFiles } from "./wire-files.ts";

const clients: ClientDialect[] = Object.values(clientDialects);
const vendors: VendorDialect[] = Object.values(vendorDialects);
const id = { decision: "d_1", createdMs: 1_700_000_000_000 };
const toModel = { model: "vendor-model", defaultMaxTokens: 256 };

export interface Read {
  events: ChatEvent[];
  /** What the record decoder threw, if it did: the port lets it. */
  fault?: Error;
}

/** As `serve` reads: records of each chunk, events of each record, at the end what was left. */
export function readStream(dialect: VendorDialect, chunks: Iterable<Uint8Array>): Read {
  const decoder = dialect.openDecoder();
  const stream = dialect.openStream();
  const events: ChatEvent[] = [];
  const recordsOf = (read: () => { event: string; data: string }[]): Error | undefined => {
    let records;
    try {
      records = read();
    } catch (fault) {
      const allowed =
        fault instanceof Error && (dialect.streamType !== "text/event-stream" || fault.name === "SseRecordTooLarge");
      demand(allowed, "throws", () => `the record decoder threw ${String(fault)}\n${(fault as Error).stack ?? ""}`);
      return fault as Error;
    }
    for (const record of records) events.push(...stream.decode(record));
    return undefined;
  };
  for (const chunk of chunks) {
    const fault = recordsOf(() => decoder.push(chunk));
    if (fault) return { events, fault };
  }
  const fault = recordsOf(() => decoder.end());
  return fault ? { events, fault } : { events };
}

function cutAt(bytes: Uint8Array, salt: number): Uint8Array[] {
  const random = randomFrom(salt);
  const longest = random.pick([1, 2, 7, 64, 1000]);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.below(longest);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Text, calls and the rest alike: the events, and where the vendor's bytes pass untouched, those too. */
function demandAnyCut(dialect: VendorDialect, whole: Read, bytes: Uint8Array, salt: number): void {
  for (const chunks of [cutAt(bytes, salt), cutAt(bytes, salt + 1)]) {
    const cut = readStream(dialect, chunks);
    demand(
      (cut.fault === undefined) === (whole.fault === undefined),
      "re-chunking",
      () => `whole: ${whole.fault?.message ?? "read"}; cut: ${cut.fault?.message ?? "read"}`,
    );
    // A chunk that can't be read takes its earlier records with it.
    if (whole.fault) continue;
    const [one, other] = [JSON.stringify(whole.events), JSON.stringify(cut.events)];
    demand(one === other, "re-chunking", () => `whole: ${one.slice(0, 2000)}\ncut:   ${other.slice(0, 2000)}`);
  }
}

function demandTerminator(dialect: VendorDialect, bytes: Uint8Array, events: readonly ChatEvent[]): void {
  const terminator = terminators[dialect.name];
  if (!terminator || !endsWell(events)) return;
  const said = dialect.openDecoder();
  const records = [...said.push(bytes), ...said.end()];
  const seen = records.some(({ event, data }) => terminator.test(event) || terminator.test(plain(data)));
  demand(seen, "terminator", () => `ended well without ${String(terminator)}`);
}

/** JSON may spell a name with escapes. */
function plain(data: string): string {
  try {
    return data + JSON.stringify(JSON.parse(data));
  } catch {
    return data;
  }
}

/** Whatever a vendor said, every client's writer can write it, and never makes a good end of a bad one. */
function demandWritable(events: readonly ChatEvent[]): void {
  for (const client of clients) {
    const stream = client.openStream(id, { ...sampleRequest, stream: true, wants_usage: true });
    let text = "";
    for (const event of events)
      text +=
        event.type === "error"
          ? stream.fail({ code: "stream_broken", message: event.message, status: 502 })
          : stream.encode(event);
    const twin = vendors.find(({ name }) => name === client.name);
    if (!twin) continue;
    const back = readStream(twin, [Buffer.from(text)]).events;
    if (!endsWell(events))
      demand(!endsWell(back), "written-end", () => `${client.name} writes a good end of a stream that had none`);
    else
      demand(endsWell(back), "written-end", () => `${client.name} writes no good end: ${JSON.stringify(back.at(-1))}`);
  }
}

export function streamTarget(dialect: VendorDialect, seeds: Uint8Array[]): Target {
  return {
    name: `${dialect.name}/stream`,
    subject: dialect.name,
    shape: "stream",
    streamType: dialect.streamType,
    seeds,
    recordsOf(bytes) {
      try {
        const decoder = dialect.openDecoder();
        return [...decoder.push(bytes), ...decoder.end()].filter(({ data }) => data !== "");
      } catch {
        return undefined;
      }
    },
    check(bytes, salt) {
      const whole = readStream(dialect, [bytes]);
      demandEvents(whole.events);
      demandAnyCut(dialect, whole, bytes, salt);
      if (!whole.fault) demandTerminator(dialect, bytes, whole.events);
      demandAnswer(whole.events);
      demandWritable(whole.events);
    },
  };
}

/** Bytes that are no JSON never reach a reader. */
function jsonOf(bytes: Uint8Array): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown };
  } catch {
    return undefined;
  }
}

function demandResponse(response: ChatResponse): void {
  demandUsage(response.usage, "answer");
  const text = JSON.stringify(response);
  demand(typeof text === "string", "answer", () => "the answer is no JSON");
  for (const client of clients) {
    const body = JSON.stringify(client.encodeResponse(response, id, sampleRequest));
    demand(typeof body === "string", "answer", () => `${client.name} writes no JSON of it`);
  }
  const events = eventsOf(response);
  demandAnswer(events);
  demandWritable(events);
}

function answerTarget(dialect: VendorDialect, seeds: Uint8Array[]): Target {
  return {
    name: `${dialect.name}/answer`,
    subject: dialect.name,
    shape: "json",
    seeds,
    check(bytes, salt) {
      const parsed = jsonOf(bytes);
      if (!parsed) return;
      const { code, message } = dialect.decodeError(400 + (salt % 200), parsed.json);
      demand(
        typeof message === "string" && (code === undefined || typeof code === "string"),
        "error",
        () => "no words for an error",
      );
      const decoded = dialect.decodeResponse(parsed.json);
      if (decoded.ok) demandResponse(decoded.response);
      else
        demand(
          typeof decoded.message === "string" && decoded.message !== "",
          "error",
          () => "no words for a bad answer",
        );
    },
  };
}

function demandRequest(client: ClientDialect, request: ChatRequest, bytes: Uint8Array): void {
  for (const stream of [false, true]) {
    const asked = { ...request, stream };
    for (const vendor of vendors) {
      const { body, dropped } = vendor.encodeRequest(asked, toModel);
      demand(typeof JSON.stringify(body) === "string", "request", () => `${vendor.name} writes no JSON of it`);
      demand(
        dropped.every((name) => typeof name === "string"),
        "request",
        () => `${vendor.name} drops something without a name`,
      );
      demand(typeof vendor.path({ model: "m", stream }) === "string", "request", () => "no path");
      vendor.headers(asked);
    }
    const twin = vendors.find(({ name }) => name === client.name);
    if (twin?.forward) demandForwarded(twin.forward(bytes, { model: "vendor-model", stream }), bytes);
  }
}

function demandForwarded(forwarded: Uint8Array, bytes: Uint8Array): void {
  const sent = jsonOf(forwarded)?.json as Record<string, unknown> | undefined;
  demand(sent !== undefined && sent["model"] === "vendor-model", "forward", () =>
    Buffer.from(forwarded).toString("utf8").slice(0, 500),
  );
  const given = jsonOf(bytes)!.json as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (key === "model" || key === "stream" || key === "stream_options") continue;
    demand(sameText(sent![key], given[key]), "forward", () => `${key} changed on the way`);
  }
}

/** What is nested beyond what can be written again is left to the bytes. */
function sameText(one: unknown, other: unknown): boolean {
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return true;
  }
}

function requestTarget(client: ClientDialect, seeds: Uint8Array[]): Target {
  return {
    name: `${client.name}/request`,
    subject: client.name,
    shape: "json",
    seeds,
    check(bytes) {
      const parsed = jsonOf(bytes);
      if (!parsed) return;
      const decoded = client.decodeRequest(parsed.json);
      if (decoded.ok) return demandRequest(client, decoded.request, bytes);
      const told = typeof decoded.path === "string" && typeof decoded.message === "string" && decoded.message !== "";
      demand(told, "error", () => "a refusal without its place or words");
    },
  };
}

/** Which reader a recording is for isn't looked up but tried: a new dialect finds its own. */
function accepts(read: () => boolean): boolean {
  try {
    return read();
  } catch {
    return false;
  }
}

function writtenBy(name: string): { streams: Buffer[]; answers: Buffer[] } {
  const client = clients.find((one) => one.name === name);
  if (!client) return { streams: [], answers: [] };
  return {
    streams: sampleAnswers.map((answer) => {
      const stream = client.openStream(id, { ...sampleRequest, stream: true, wants_usage: true });
      return Buffer.from(
        eventsOf(answer)
          .map((event) => stream.encode(event))
          .join(""),
      );
    }),
    answers: sampleAnswers.map((answer) =>
      Buffer.from(JSON.stringify(client.encodeResponse(answer, id, sampleRequest))),
    ),
  };
}

function vendorTargets(dialect: VendorDialect): Target[] {
  const files = wireFiles().filter(({ name }) => name.startsWith("response"));
  const written = writtenBy(dialect.name);
  const foreign = foreignSeeds(dialect.name, dialect.streamType);
  const streams = files.filter(({ bytes }) => accepts(() => endsWell(readStream(dialect, [bytes]).events)));
  const answers = files.filter(({ bytes }) => accepts(() => dialect.decodeResponse(jsonOf(bytes)!.json).ok));
  return [
    streamTarget(
      dialect,
      seeded([...written.streams, ...foreign.streams, ...streams.map(({ bytes }) => bytes)], "data: {}\n\n"),
    ),
    answerTarget(dialect, seeded([...written.answers, ...foreign.answers, ...answers.map(({ bytes }) => bytes)], "{}")),
  ];
}

const seeded = (seeds: Uint8Array[], otherwise: string): Uint8Array[] =>
  seeds.length > 0 ? seeds : [Buffer.from(otherwise)];

function clientTarget(client: ClientDialect): Target {
  const files = wireFiles().filter(({ name }) => name.startsWith("requests"));
  const recorded = files.filter(({ bytes }) => accepts(() => client.decodeRequest(jsonOf(bytes)!.json).ok));
  const twin = vendors.find(({ name }) => name === client.name);
  const written = twin ? [twin.encodeRequest(sampleRequest, toModel).body] : [];
  const least = [
    { model: "m", max_tokens: 9, prompt: "p", input: "p", messages: [{ role: "user", content: "p" }] },
    {
      model: "m",
      prompt: ["p", "q"],
      suffix: "s",
      n: 2,
      logprobs: 3,
      echo: false,
      stop: ["x"],
      stream: true,
      best_of: 2,
    },
  ];
  return requestTarget(client, [
    ...[...written, ...least].map((body) => Buffer.from(JSON.stringify(body))),
    ...recorded.map(({ bytes }) => bytes),
  ]);
}

export const dialectTargets = (): Target[] => [...vendors.flatMap(vendorTargets), ...clients.map(clientTarget)];
