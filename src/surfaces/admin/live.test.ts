import { describe, expect, it } from "vitest";
import { decisionId, settledEntry } from "../../projection/entry-samples.ts";
import { maxArrivalsBehind } from "../../projection/index.ts";
import { buildHouse, type SignedIn } from "./test-house.ts";

/** Reads one event at a time, as a client does. */
function reader(response: Response) {
  const read = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return {
    async next(): Promise<string | undefined> {
      while (!text.includes("\n\n")) {
        const { value, done } = await read.read();
        if (done) return undefined;
        text += decoder.decode(value, { stream: true });
      }
      const end = text.indexOf("\n\n");
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      return event;
    },
    cancel: () => read.cancel(),
  };
}

async function setUp() {
  const built = buildHouse();
  const as = await built.signedIn("operator");
  const open = async (query = "", headers: Record<string, string> = {}, who: SignedIn = as) => {
    const response = await built.send("GET", `/decisions/stream${query}`, { as: who, headers });
    return { response, events: reader(response) };
  };
  return { ...built, as, open };
}

describe("the live view", () => {
  it("begins with what is new, filtered, each event with its cursor", async () => {
    const { open, index } = await setUp();
    index.apply([settledEntry(0, decisionId(0))]);
    const { response, events } = await open("?state=failed");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await events.next()).toBe("retry: 2000\nid: 0.1");
    const next = events.next();
    index.apply([settledEntry(1, decisionId(1))]);
    index.apply([settledEntry(2, decisionId(2), { state: "failed" })]);
    const event = await next;
    expect(event).toMatch(/^event: decision\nid: 0\.3\ndata: \{/);
    expect(JSON.parse(event!.split("data: ")[1]!)).toMatchObject({ decision_id: decisionId(2), state: "failed" });
    await events.cancel();
  });

  it("goes on where a client left off, and refuses cursors that are not ours", async () => {
    const { open, index } = await setUp();
    index.apply([0, 1, 2].map((n) => settledEntry(n, decisionId(n))));
    const { events } = await open("", { "last-event-id": "0.1" });
    await events.next();
    expect([await events.next(), await events.next()].map((e) => /dec_0*(\d)"/.exec(e!)![1])).toEqual(["1", "2"]);
    await events.cancel();
    expect((await open("", { "last-event-id": "nonsense!" })).response.status).toBe(400);
  });

  it("sends a heartbeat every 15 seconds that carries the cursor", async () => {
    const { open, clock } = await setUp();
    const { events } = await open();
    await events.next();
    const next = events.next();
    await clock.advance(15_000);
    expect(await next).toBe(": still here\nid: 0.0");
    await events.cancel();
    expect(clock.pendingTimers).toBe(0);
  });

  it("reads nothing ahead of a slow client and sends it a gap instead of a backlog", async () => {
    const { open, index } = await setUp();
    let asked = 0;
    const since = index.since.bind(index);
    index.since = (...args) => {
      asked++;
      return since(...args);
    };
    const { events } = await open();
    await events.next();
    const before = asked;
    const rows = Array.from({ length: maxArrivalsBehind + 5 }, (_, n) => settledEntry(n, decisionId(n)));
    for (const row of rows) index.apply([row]);
    expect(asked).toBe(before);
    expect(await events.next()).toMatch(
      new RegExp(`^event: gap\\nid: 0\\.${rows.length}\\ndata: {"skipped":${rows.length}}$`),
    );
    await events.cancel();
  });

  it("ends when the session does, and an open view is no use of the session", async () => {
    const { open, as, clock, deps } = await setUp();
    const { events } = await open();
    await events.next();
    const session = await deps.sessions.find(as.token);
    await deps.sessions.end(session!).commit();
    const next = events.next();
    await clock.advance(15_000);
    expect(await next).toBeUndefined();
  });

  it("ends an hour after the operator was last active", async () => {
    const { open, clock } = await setUp();
    const { events } = await open();
    let beats = 0;
    for (let next = events.next(); ; next = events.next()) {
      await clock.advance(15_000);
      const event = await next;
      if (event === undefined) break;
      beats++;
    }
    expect(beats).toBeLessThanOrEqual(241);
    expect(beats).toBeGreaterThan(200);
  });

  it("ends when the server stops, and no new one begins", async () => {
    const stop = new AbortController();
    const { send, signedIn, clock } = buildHouse({ stopping: stop.signal });
    const as = await signedIn("operator");
    const events = reader(await send("GET", "/decisions/stream", { as }));
    await events.next();
    const next = events.next();
    stop.abort();
    expect(await next).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
    expect((await send("GET", "/decisions/stream", { as })).status).toBe(503);
  });

  it("is limited in number, and ended views make room", async () => {
    const { open } = await setUp();
    const views = [];
    for (let n = 0; n < 100; n++) views.push(await open());
    expect((await open()).response.status).toBe(429);
    await views[0]!.events.cancel();
    const last = await open();
    expect(last.response.status).toBe(200);
    for (const { events } of [...views.slice(1), last]) await events.cancel();
  });
});
