/**
 * The reference that Weir is measured against: `node:http` in front, undici `dispatch` behind, nothing between. It reads
 * the body whole as Weir does, forwards it and passes the answer on chunk by chunk. Started by `run.ts` with `fork`.
 */
import { createServer } from "node:http";
import { Pool } from "undici";

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, {
  connections: 256,
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
});

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    const headers = { "content-type": "application/json", accept: request.headers.accept ?? "application/json" };
    pool.dispatch(
      { method: "POST", path: request.url!, headers, body },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, answered) {
          const passed: Record<string, string | string[]> = {};
          for (const name in answered)
            if (name !== "connection" && name !== "transfer-encoding") passed[name] = answered[name]!;
          response.writeHead(status, passed);
        },
        onResponseData(_controller, chunk) {
          response.write(chunk);
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          if (!response.headersSent) response.writeHead(502);
          response.end();
        },
      },
    );
  });
});
server.listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));
process.on("disconnect", () => process.exit(0));
