/** Hard case 14: a reader who doesn't read holds back its own vendor and nobody else's, and in the end gets everything. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, ask, told, turns } from "../../faults/vendor-house.ts";
import { nothingLeft, startHardHouse } from "./hard-house.ts";
import { type RawVendor, httpChunk, inPieces, lastChunk, startRawVendor, streamHead } from "./raw-vendor.ts";
import { type Vendor, wholeStream, wires } from "./wire.ts";

const useCases = `
over-oa: { kind: chat, ladder: [oa-main], retries: 0, deadline: 10m }
over-an: { kind: chat, ladder: [an-main], retries: 0, deadline: 10m }
guarded: { kind: chat, check: [cards], ladder: [oa-main], retries: 0, deadline: 10m }
`;
const guards = "guards: { cards: { detect: [card], action: block } }";

let vendor: RawVendor;
let house: TimedHouse;
beforeAll(async () => {
  vendor = await startRawVendor();
  house = await startHardHouse(new VirtualClock(), vendor.origin, useCases, guards);
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const words = "~".repeat(8000);
const events = 2500;
/** What the sockets of two hops may hold; Weir itself holds some chunks. */
const mostBytes = 16 << 20;

/** Pours events as fast as they are taken. */
function pour(over: Vendor) {
  const wire = wires[over];
  const content = httpChunk(wire.content(words));
  const state = { poured: 0 };
  vendor.play(async ({ socket, closed }) => {
    socket.write(streamHead);
    socket.write(httpChunk(wire.opening));
    for (let n = 0; n < events && !socket.destroyed; n++) {
      const taken = socket.write(content);
      state.poured += content.length;
      if (!taken) await Promise.race([once(socket, "drain"), closed]);
    }
    socket.write(Buffer.concat([httpChunk(wire.finish + wire.terminator), Buffer.from(lastChunk)]));
  });
  return state;
}

/** A client that asks and doesn't read until told to. */
function lazyClient(useCase: string) {
  const socket = connect(Number(new URL(house.origin).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  const body = JSON.stringify({ model: useCase, stream: true, messages: [{ role: "user", content: "Hi" }] });
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: weir\r\nauthorization: Bearer ${house.key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  return {
    /** How many of the words came, and whether the stream's terminator did. */
    async readAll() {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.resume();
      await once(socket, "close");
      const text = Buffer.concat(chunks).toString("latin1");
      return { count: text.split("~").length - 1, whole: text.includes("data: [DONE]") };
    },
    leave: () => socket.destroy(),
  };
}

/** Resolves when nothing more was poured for a long while of turns. */
async function still(state: { poured: number }): Promise<void> {
  let last = -1;
  while (last !== state.poured) {
    last = state.poured;
    await turns(500);
  }
}

describe("case 14: a reader who doesn't read", () => {
  it.each([
    ["over-oa", "oa-main"],
    ["over-an", "an-main"],
    ["guarded", "oa-main"],
  ] as const)("%s: holds its vendor back, others go on, and then it gets everything", async (useCase, over) => {
    const state = pour(over);
    const client = lazyClient(useCase);
    await vendor.arrival(0);
    await still(state);
    expect(state.poured).toBeLessThan(mostBytes);
    vendor.play(inPieces([wholeStream("oa-main", ...Array<string>(500).fill("y"))]));
    expect(await told(await ask(house.origin, house.key, { useCase: "over-oa", stream: true }))).toMatchObject({
      text: "y".repeat(500),
      whole: true,
    });
    await still(state);
    expect(state.poured).toBeLessThan(mostBytes);
    const { count, whole } = await client.readAll();
    expect({ count, whole }).toEqual({ count: events * words.length, whole: true });
    await nothingLeft(house);
  });

  it("one that goes without having read lets its vendor go", async () => {
    const state = pour("oa-main");
    const client = lazyClient("over-oa");
    const call = await vendor.arrival(0);
    await still(state);
    client.leave();
    await call.closed;
    expect(state.poured).toBeLessThan(mostBytes);
    await nothingLeft(house);
  });
});
