import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { type Server, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { lookup } from "node:dns";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { type Outbound, OutboundFault, createOutbound } from "./outbound.ts";
import { type Receiver, openReceiver } from "./test-receiver.ts";

let receiver: Receiver;
let outbound: Outbound;
let clock: VirtualClock;
beforeEach(async () => {
  receiver = await openReceiver();
  clock = new VirtualClock();
  outbound = createOutbound({ clock, allowHosts: [receiver.host] });
});
afterEach(() => {
  outbound.close();
  receiver.close();
});
const post = (url: string, body = "{}", out = outbound) =>
  out.post({ url, headers: { "x-a": "1" }, body, timeoutMs: 1000 }).catch((fault: unknown) => fault);

describe("outbound", () => {
  it("posts what it is given", async () => {
    expect(await post(`${receiver.origin}/x?y=1`, '{"ä":1}')).toEqual({ status: 200, body: "" });
    expect(receiver.received[0]).toMatchObject({ path: "/x?y=1", body: '{"ä":1}', headers: { "x-a": "1" } });
  });

  it("never follows a redirect", async () => {
    receiver.answers.push((response) => void response.writeHead(302, { location: `${receiver.origin}/inside` }).end());
    expect(await post(`${receiver.origin}/x`)).toMatchObject({ status: 302 });
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    ["7", 7000],
    ["Thu, 01 Jan 2026 00:00:09 GMT", 9000],
    ["soon", undefined],
  ])("retry-after %s: %s ms", async (value, ms) => {
    receiver.answers.push((response) => void response.writeHead(429, { "retry-after": value }).end());
    const answer = await post(`${receiver.origin}/`);
    expect(answer).toEqual({ status: 429, body: "", ...(ms !== undefined && { retryAfterMs: ms }) });
  });

  it("reads the first bytes of an endless answer and lets go", async () => {
    receiver.answers.push((response) => {
      const more = () => {
        while (response.write("x".repeat(1000)));
        response.once("drain", more);
      };
      more();
    });
    const answer = (await post(`${receiver.origin}/`)) as { body: string };
    expect(answer.body).toHaveLength(4096);
  });

  it("gives up after its time, on the injected clock", async () => {
    receiver.answers.push(() => {});
    const answer = post(`${receiver.origin}/`);
    await receiver.until(1);
    await clock.advance(1000);
    expect(await answer).toMatchObject({ reason: "timeout" });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([["http://example.com/"], ["https://10.0.0.1/"], ["https://169.254.169.254/latest/meta-data"], ["nonsense"]])(
    "%s is not called",
    async (url) => expect(await post(url)).toMatchObject({ reason: "refused_address" }),
  );

  it("a port that nobody listens on: a fault without the address", async () => {
    const { port } = await closedPort();
    const own = createOutbound({ clock, allowHosts: ["127.0.0.1"] });
    const fault = (await post(`http://127.0.0.1:${port}/secret-path`, "{}", own)) as OutboundFault;
    expect(fault.reason).toBe("connection");
    expect(fault.message).toBe("the call failed: ECONNREFUSED");
    own.close();
  });

  it.each([
    ["to loopback", ["127.0.0.1"]],
    ["to a public and a private address", ["93.184.216.34", "10.0.0.5"]],
    ["nowhere", []],
  ])("a name that leads %s is not called", async (_where, addresses) => {
    const answers = addresses.map((address) => ({ address, family: 4 }));
    const resolve = ((_host: string, _options: object, done: (fault: null, all: typeof answers) => void) =>
      done(null, answers)) as unknown as typeof lookup;
    const own = createOutbound({ clock, allowHosts: [], lookup: resolve });
    const { port } = new URL(receiver.origin);
    expect(await post(`https://rebound.example.com:${port}/`, "{}", own)).toMatchObject({ reason: "refused_address" });
    expect(receiver.received).toHaveLength(0);
    own.close();
  });

  it("a certificate that nobody vouches for gets nothing", async () => {
    const pem = (name: string) => readFileSync(new URL(`../../../tests/fixtures/tls/${name}`, import.meta.url));
    let asked = 0;
    const server = createHttpsServer(
      { cert: pem("test-only-cert.pem"), key: pem("test-only-key.pem") },
      (_, response) => {
        asked += 1;
        response.end();
      },
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const own = createOutbound({ clock, allowHosts: ["127.0.0.1"] });
    const { port } = server.address() as AddressInfo;
    expect(await post(`https://127.0.0.1:${port}/`, "{}", own)).toMatchObject({ reason: "connection" });
    expect(asked).toBe(0);
    own.close();
    server.close();
  });

  it("closing cuts off what is under way", async () => {
    receiver.answers.push(() => {});
    const answer = post(`${receiver.origin}/`);
    await receiver.until(1);
    outbound.close();
    expect(await answer).toMatchObject({ reason: "closed" });
  });
});

async function closedPort(): Promise<AddressInfo> {
  const server: Server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return address;
}
