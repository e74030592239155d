/**
 * A vendor that costs next to nothing: raw sockets, prepared bytes. Whole answers of 1 KB at once; a stream of 64 chunks,
 * the first at once and one more each millisecond. Given milliseconds as its argument, its streams bring a chunk that
 * seldom and go on until it is told "end". Started by `run.ts` with `fork`; answers `{ port }`.
 */
import { type Socket, createServer } from "node:net";
import { chunkCount, chunkEveryMs, vendorId } from "./cases.ts";
import { prose } from "./prose.ts";

const answer = JSON.stringify({
  id: vendorId,
  object: "chat.completion",
  created: 1_763_800_000,
  model: "bench-model",
  choices: [{ index: 0, message: { role: "assistant", content: prose(1, 690) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 210, completion_tokens: 140, total_tokens: 350 },
});
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(answer)}\r\nConnection: keep-alive\r\n\r\n${answer}`,
);
const streamHead =
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Accel-Buffering: no\r\nConnection: keep-alive\r\n\r\n";

const chunked = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const event = (choices: unknown[], more: object = {}) =>
  `data: ${JSON.stringify({ id: vendorId, object: "chat.completion.chunk", created: 1_763_800_000, model: "bench-model", choices, ...more })}\n\n`;
const delta = (i: number) =>
  event([{ index: 0, delta: { ...(i === 0 && { role: "assistant" }), content: prose(i, 36) }, finish_reason: null }]);
const finish = event([{ index: 0, delta: {}, finish_reason: "stop" }]);
const usage = event([], { usage: { prompt_tokens: 210, completion_tokens: 140, total_tokens: 350 } });

const chunks = Array.from({ length: chunkCount - 1 }, (_, i) =>
  Buffer.from((i === 0 ? streamHead : "") + chunked(delta(i))),
);
const last = Buffer.from(`${chunked(`${finish}data: [DONE]\n\n`)}0\r\n\r\n`);
// Only a client that asked for usage gets it, in its last write.
const lastWithUsage = Buffer.from(`${chunked(`${finish}${usage}data: [DONE]\n\n`)}0\r\n\r\n`);

interface Stream {
  socket: Socket;
  next: number;
  last: Buffer;
}
const streams = new Set<Stream>();
const slowMs = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
if (slowMs === undefined) streamFast();
else {
  setInterval(() => {
    for (const stream of streams) stream.socket.write(chunks[1 + (stream.next++ % (chunks.length - 1))]!);
  }, slowMs);
  process.on("message", (told) => {
    if (told !== "end") return;
    for (const stream of streams) stream.socket.write(stream.last);
    streams.clear();
  });
}

function streamFast(): void {
  let dueMs = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (streams.size === 0) dueMs = now;
    // A late timer sends what is due as writes of their own.
    for (; dueMs <= now; dueMs += chunkEveryMs) for (const stream of streams) advance(stream);
  }, chunkEveryMs);
}

function advance(stream: Stream): void {
  const chunk = chunks[stream.next++] ?? stream.last;
  if (chunk === stream.last) streams.delete(stream);
  stream.socket.write(chunk);
}

function answerOne(socket: Socket, body: Buffer): void {
  // Where a body asks for a stream, it does so near an end.
  const ends = `${body.toString("latin1", 0, 256)} ${body.toString("latin1", Math.max(0, body.length - 256))}`;
  if (!/"stream":\s*true/.test(ends)) {
    socket.write(whole);
    return;
  }
  const stream = { socket, next: 0, last: /"include_usage":\s*true/.test(ends) ? lastWithUsage : last };
  streams.add(stream);
  socket.once("close", () => streams.delete(stream));
  advance(stream);
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer[] = [];
  let have = 0;
  let need = 0;
  let bodyAt = 0;
  socket.on("error", () => socket.destroy());
  socket.setMaxListeners(0);
  socket.on("data", (data: Buffer) => {
    pending.push(data);
    have += data.length;
    if (need === 0) {
      const got = pending.length === 1 ? data : Buffer.concat(pending, have);
      pending = [got];
      const end = got.indexOf("\r\n\r\n");
      if (end < 0) return;
      bodyAt = end + 4;
      need = bodyAt + Number(/content-length:\s*(\d+)/i.exec(got.toString("latin1", 0, end))?.[1] ?? 0);
    }
    if (have < need) return;
    const request = pending.length === 1 ? pending[0]! : Buffer.concat(pending, have);
    pending = [];
    have = need = 0;
    answerOne(socket, request.subarray(bodyAt));
  });
});
server.listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));
process.on("disconnect", () => process.exit(0));
