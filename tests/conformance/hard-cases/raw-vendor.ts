/**
 * A vendor that is bytes on a socket: what a proper HTTP server can't do, such as cutting an answer at any byte, sending
 * ten thousand events at once, resetting between two of them, or pouring until nobody takes more.
 */
import { type AddressInfo, type Socket, createServer } from "node:net";

export interface RawCall {
  path: string;
  body: string;
  json: Record<string, unknown>;
  socket: Socket;
  /** Resolves when the connection is closed, by either side. */
  closed: Promise<void>;
}

export type RawScript = (call: RawCall) => void | Promise<void>;

export interface RawVendor {
  origin: string;
  calls: RawCall[];
  /** What the next calls do, in order; afterwards `fallback`. */
  play(...scripts: RawScript[]): void;
  fallback(script: RawScript): void;
  /** The call with this index, once it has arrived whole. */
  arrival(index: number): Promise<RawCall>;
  reset(): void;
  close(): Promise<void>;
}

export async function startRawVendor(): Promise<RawVendor> {
  let scripts: RawScript[] = [];
  let fallback: RawScript = ({ socket }) => void socket.destroy();
  let waiting: { index: number; resolve: (call: RawCall) => void }[] = [];
  const calls: RawCall[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const closed = new Promise<void>((resolve) => socket.on("close", resolve));
    void closed.then(() => sockets.delete(socket));
    // Resets are what this vendor is for.
    socket.on("error", () => {});
    let held = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let next = take(held); next; next = take(held)) {
        held = next.rest;
        const call: RawCall = { ...next, json: JSON.parse(next.body) as Record<string, unknown>, socket, closed };
        const index = calls.push(call) - 1;
        for (const wait of waiting.filter((each) => each.index === index)) wait.resolve(call);
        waiting = waiting.filter((each) => each.index !== index);
        void (async () => (scripts.shift() ?? fallback)(call))().catch(() => socket.destroy());
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    play: (...more) => void scripts.push(...more),
    fallback: (script) => void (fallback = script),
    arrival: (index) =>
      calls[index] ? Promise.resolve(calls[index]) : new Promise((resolve) => waiting.push({ index, resolve })),
    reset() {
      scripts = [];
      calls.length = 0;
      waiting = [];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** The first whole request of what has arrived. Weir states the length of its bodies. */
function take(held: Buffer): { path: string; body: string; rest: Buffer<ArrayBuffer> } | undefined {
  const end = held.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = held.toString("latin1", 0, end);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? "0");
  const from = end + 4;
  if (held.length < from + length) return undefined;
  return {
    path: head.split(" ")[1] ?? "",
    body: held.toString("utf8", from, from + length),
    rest: Buffer.from(held.subarray(from + length)),
  };
}

export const headOf = (contentType: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n`;
export const streamHead = headOf("text/event-stream; charset=utf-8");
export const lastChunk = "0\r\n\r\n";

/** One HTTP chunk: however TCP cuts or joins them, the reader of the body sees each by itself. */
export const httpChunk = (bytes: Uint8Array | string): Buffer => {
  const data = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]);
};

/** A whole stream in these pieces. */
export const inPieces =
  (pieces: readonly (Uint8Array | string)[], head = streamHead): RawScript =>
  ({ socket }) =>
    void socket.write(Buffer.concat([Buffer.from(head), ...pieces.map(httpChunk), Buffer.from(lastChunk)]));

/** These pieces, and then the connection is reset, once they have been handed over. */
export const thenReset =
  (pieces: readonly (Uint8Array | string)[], head = streamHead): RawScript =>
  ({ socket }) =>
    void socket.write(Buffer.concat([Buffer.from(head), ...pieces.map(httpChunk)]), () =>
      setImmediate(() => socket.resetAndDestroy()),
    );

/** Cut at every position that leaves `rest` when divided by `step`. */
export function cut(bytes: Buffer, step: number, rest: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0, to = rest || step; from < bytes.length; from = to, to += step)
    pieces.push(bytes.subarray(from, to));
  return pieces;
}
