/**
 * A lean closed-loop generator over raw keep-alive sockets: each connection sends its next request when the answer to the
 * last is complete. `define` a set of requests once, `connect` (which also warms each connection with one request),
 * `run`, `disconnect`. What is under way at the end of the time is waited for and counted.
 */
import { type Socket, connect } from "node:net";
import type { Define, GeneratorReply, GeneratorRequest, LoadResult } from "./generator.ts";

const sets = new Map<string, Define>();
let connections: Connection[] = [];
let run: Run | undefined;
let serial = 0;

class Run {
  readonly started = performance.now();
  readonly latencies: number[] = [];
  readonly firstBytes: number[] = [];
  readonly statuses: Record<string, number> = {};
  readonly until: number;
  running = 0;
  readonly #done: (result: LoadResult) => void;

  constructor(durationMs: number, done: (result: LoadResult) => void) {
    this.until = this.started + durationMs;
    this.#done = done;
  }

  completed(status: string, latency: number, firstByte: number): void {
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    this.latencies.push(latency);
    this.firstBytes.push(firstByte);
  }

  ended(): void {
    if (--this.running > 0) return;
    const sorted = Float64Array.from(this.latencies).sort();
    const first = Float64Array.from(this.firstBytes).sort();
    const at = (values: Float64Array, share: number) =>
      values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
    this.#done({
      completed: sorted.length,
      statuses: this.statuses,
      durationMs: performance.now() - this.started,
      p50Ms: at(sorted, 0.5),
      p99Ms: at(sorted, 0.99),
      firstByteP50Ms: at(first, 0.5),
      firstByteP99Ms: at(first, 0.99),
    });
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #set: Define;
  readonly #index: number;
  #sent = 0;
  #sentAt = 0;
  #firstAt = 0;
  #status = "";
  #head = "";
  /** Bytes of the body still to come; -1 while the head is read, Infinity while chunks come. */
  #missing = -1;
  #tail = "";
  #onAnswer: () => void = () => {};
  readonly ready: Promise<void>;

  constructor(port: number, set: Define, index: number) {
    this.#set = set;
    this.#index = index * 7;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (data: Buffer) => this.#take(data));
    this.#socket.on("close", () => this.#lost());
    this.#socket.on("error", () => {});
    this.ready = new Promise((resolve) => {
      this.#socket.once("connect", () => this.#send(resolve));
    });
  }

  start(load: Run): void {
    load.running += 1;
    const next = () => {
      load.completed(this.#status, performance.now() - this.#sentAt, this.#firstAt - this.#sentAt);
      if (performance.now() < load.until) this.#send(next);
      else load.ended();
    };
    this.#send(next);
  }

  end(): void {
    this.#onAnswer = () => {};
    this.#socket.destroy();
  }

  #send(onAnswer: () => void): void {
    const { requests, serialAt, serialLength } = this.#set;
    let request = requests[(this.#index + this.#sent++) % requests.length]!;
    if (serialAt !== undefined) {
      request = Buffer.from(request);
      request.write((serial++).toString(36).padStart(serialLength!, "0"), serialAt, "latin1");
    }
    this.#onAnswer = onAnswer;
    this.#missing = -1;
    this.#head = "";
    this.#firstAt = 0;
    this.#sentAt = performance.now();
    this.#socket.write(request);
  }

  #take(data: Buffer): void {
    let bodyLength = data.length;
    let bodyFrom = 0;
    if (this.#missing === -1) {
      this.#head += data.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#status = this.#head.slice(9, 12);
      bodyLength = this.#head.length - end - 4;
      bodyFrom = data.length - bodyLength;
      const declared = /content-length: *(\d+)/i.exec(this.#head.slice(0, end))?.[1];
      this.#missing = declared === undefined ? Infinity : Number(declared);
      this.#tail = "\r\n";
    }
    if (bodyLength > 0 && this.#firstAt === 0) this.#firstAt = performance.now();
    if (this.#missing === Infinity) {
      this.#tail = (this.#tail + data.toString("latin1", Math.max(bodyFrom, data.length - 7))).slice(-7);
      if (this.#tail === "\r\n0\r\n\r\n") this.#onAnswer();
      return;
    }
    this.#missing -= bodyLength;
    if (this.#missing <= 0) this.#onAnswer();
  }

  #lost(): void {
    this.#status = "connection closed";
    this.#firstAt ||= performance.now();
    const onAnswer = this.#onAnswer;
    this.#onAnswer = () => {};
    onAnswer();
  }
}

const reply = (message: GeneratorReply) => process.send!(message);

process.on("message", (request: GeneratorRequest) => void obey(request));

async function obey(request: GeneratorRequest): Promise<void> {
  if (request.type === "define") {
    sets.set(request.set.name, { ...request.set, requests: request.set.requests.map((bytes) => Buffer.from(bytes)) });
    return void reply({ type: "done" });
  }
  if (request.type === "connect") {
    const set = sets.get(request.set)!;
    connections = Array.from({ length: request.connections }, (_, i) => new Connection(request.port, set, i));
    await Promise.all(connections.map((connection) => connection.ready));
    return void reply({ type: "done" });
  }
  if (request.type === "disconnect") {
    for (const connection of connections) connection.end();
    connections = [];
    return void reply({ type: "done" });
  }
  run = new Run(request.durationMs, (result) => reply({ type: "result", result }));
  for (const connection of connections) connection.start(run);
}
process.on("disconnect", () => process.exit(0));
