/**
 * Opens many streams through a gateway and holds them: raw sockets, one request each, a few at a time. Started by
 * `streams.ts` with `fork`; tells counts when asked, so that the harness sees when all are open and when all have ended.
 */
import { type Socket, connect } from "node:net";
import { vendorId } from "./cases.ts";

export interface HoldOrder {
  port: number;
  count: number;
  request: Buffer;
}

export interface HoldCounts {
  /** Whose answer's first content has come. */
  open: number;
  /** Ended with the vendor's terminator. */
  ended: number;
  /** HTTP status or fault → count, of those that did not open or did not end well. */
  failed: Record<string, number>;
}

const counts: HoldCounts = { open: 0, ended: 0, failed: {} };
const atATime = 200;

function fail(why: string): void {
  counts.failed[why] = (counts.failed[why] ?? 0) + 1;
}

/** Resolves with the first content, or when there will be none. */
function hold(order: HoldOrder): Promise<void> {
  return new Promise((resolve) => {
    let said = "";
    let state: "waiting" | "open" | "over" = "waiting";
    const socket: Socket = connect({ port: order.port, host: "127.0.0.1", noDelay: true }, () =>
      socket.write(order.request),
    );
    const over = (why: string | undefined) => {
      if (state === "over") return;
      state = "over";
      if (why === undefined) counts.ended += 1;
      else fail(why);
      resolve();
    };
    socket.on("data", (data: Buffer) => {
      said = (said + data.toString("latin1")).slice(-4096);
      if (state === "waiting") {
        if (/^HTTP\/1\.1 (?!200)/.test(said)) return over(`status ${said.slice(9, 12)}`);
        if (!said.includes('"content":')) return;
        // A rung below took over: that is no stream of the vendor's.
        if (!said.includes(vendorId)) return over("not the vendor's answer");
        state = "open";
        counts.open += 1;
        resolve();
      }
      if (said.includes("data: [DONE]")) over(undefined);
      said = said.slice(-64);
    });
    socket.on("error", (fault: NodeJS.ErrnoException) => over(fault.code ?? "error"));
    socket.on("close", () => over("closed early"));
  });
}

async function holdAll(order: HoldOrder): Promise<void> {
  const request = { ...order, request: Buffer.from(order.request) };
  let left = order.count;
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      while (left-- > 0) await hold(request);
    }),
  );
}

process.on("message", (message: HoldOrder | "counts") => {
  if (message === "counts") process.send!(counts);
  else void holdAll(message);
});
process.on("disconnect", () => process.exit(0));
process.send!({ port: 0 });
