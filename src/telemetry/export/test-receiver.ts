/** An HTTP receiver on loopback for tests: keeps what it gets and answers as told. */
import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

type Answer = number | ((response: ServerResponse) => void);

export interface Receiver {
  origin: string;
  /** `127.0.0.1:port` */
  host: string;
  received: Received[];
  /** Answers in turn; afterwards 200. */
  answers: Answer[];
  /** Resolves when so many have come in. */
  until(count: number): Promise<void>;
  close(): void;
}

export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: Answer[] = [];
  let told: (() => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() });
      const answer = answers.shift() ?? 200;
      if (typeof answer === "number") response.writeHead(answer).end();
      else answer(response);
      for (const tell of told.splice(0)) tell();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    received,
    answers,
    async until(count) {
      while (received.length < count) await new Promise<void>((resolve) => (told = [...told, resolve]));
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
