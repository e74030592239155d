/** HTTP as bytes on a socket: what a well-behaved client can't send, and how much the server waits for. */
import { connect } from "node:net";

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface RawExchange {
  send(text: string | Uint8Array): void;
  /** The first whole answer; rejects when the server closes without one. */
  answer: Promise<RawAnswer>;
  /** Resolves with everything that was received when the server has closed the connection. */
  closed: Promise<string>;
  /** Resolves with the server's 100 Continue: it has read the headers. */
  continued: Promise<void>;
  end(): void;
}

export function open(origin: string): RawExchange {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const answer = Promise.withResolvers<RawAnswer>();
  const closed = Promise.withResolvers<string>();
  const continued = Promise.withResolvers<void>();
  // Whoever waits for one of the two may leave the other alone.
  answer.promise.catch(() => {});
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
    if (received.startsWith("HTTP/1.1 100 ")) continued.resolve();
    const whole = parse(received);
    if (whole) answer.resolve(whole);
  });
  // A server that refuses a body it has not read may reset the connection: what it said before counts.
  socket.on("error", () => {});
  socket.on("close", () => {
    answer.reject(new Error(`closed after ${received.length} bytes: ${received.slice(0, 200)}`));
    closed.resolve(received);
  });
  return {
    send: (text) => void socket.write(text),
    answer: answer.promise,
    closed: closed.promise,
    continued: continued.promise,
    end: () => socket.destroy(),
  };
}

export async function sendRaw(origin: string, text: string | Uint8Array): Promise<RawAnswer> {
  const exchange = open(origin);
  exchange.send(text);
  try {
    return await exchange.answer;
  } finally {
    exchange.end();
  }
}

/** The first final answer; interim ones (100 Continue) are skipped. */
export function parse(received: string): RawAnswer | undefined {
  const text = received.replace(/^(HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, "");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = text.slice(end + 4);
  const length = Number(headers["content-length"] ?? "0");
  return body.length < length
    ? undefined
    : { status: Number(first!.split(" ")[1]), headers, body: body.slice(0, length) };
}
