/** `kill -9` under load, ten times on one data directory: what was acknowledged is recorded, what was begun is settled once. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StoredEntry, fileSink, readEntries, verifyStore } from "../../src/ledger/index.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";
import { type Acknowledged, type Installation, type Server, install, load, startServer } from "./crash-fixture.ts";

const rounds = 10;
const connections = 12;

let place: Installation;
let server: Server | undefined;
let dir: string;
beforeAll(async () => {
  place = await install();
  dir = join(place.data, "ledger");
});
afterAll(async () => {
  await server?.kill();
  rmSync(place.folder, { recursive: true, force: true });
});

/** The newest checkpoint that the sink holds of the server's log. */
async function savedCheckpoint(): Promise<string | undefined> {
  const sink = fileSink({ files: nodeFiles, folder: place.sink });
  const own = await nodeFiles.read(join(dir, "server", "checkpoint"));
  if (!own) return undefined;
  return sink.latest!(new TextDecoder().decode(own).split("\n", 1)[0]!);
}

async function journal(): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for await (const stored of readEntries({ dir, files: nodeFiles, node: "server" })) entries.push(stored);
  return entries;
}

describe(`a server killed ${rounds} times under load`, () => {
  const acknowledged: Acknowledged[] = [];
  const saved = new Set<string>();
  let entries: StoredEntry[];

  it("starts again each time, serves, and its store verifies against the checkpoint kept in the sink", async () => {
    // Before the first kill: a checkpoint that every later state of the store must still pass through.
    server = await startServer(place);
    await load(server.origin, place.key, { connections: 1, enough: 3, whenEnough: () => void server!.stop() });
    await server.stop();
    saved.add((await savedCheckpoint())!);
    for (let round = 0; round < rounds; round++) {
      server = await startServer(place);
      const running = server;
      // Another moment in each round: 10 to 118 answers after the start.
      const enough = 10 + round * 12;
      const answered = await load(running.origin, place.key, {
        connections,
        enough,
        whenEnough: () => void running.kill(),
      });
      await running.kill();
      expect(answered.length, `round ${round}`).toBeGreaterThanOrEqual(enough);
      acknowledged.push(...answered);
      const note = await savedCheckpoint();
      if (note !== undefined) saved.add(note);
    }
    server = await startServer(place);
    const last = server;
    const served = await load(last.origin, place.key, {
      connections: 1,
      enough: 1,
      whenEnough: () => void last.stop(),
    });
    expect(served.length).toBeGreaterThanOrEqual(1);
    acknowledged.push(...served);
    expect(await last.stop()).toBe(0);
    server = undefined;
    saved.add((await savedCheckpoint())!);
    entries = await journal();
    expect(saved.size).toBeGreaterThan(1);
    const publicKey = readFileSync(join(dir, "server", "log.pub"), "utf8").trim();
    for (const note of saved) {
      const verification = await verifyStore({ dir, files: nodeFiles, saved: note, sinks: [place.sink], publicKey });
      expect(verification.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
      expect(verification.ok).toBe(true);
    }
  }, 120_000);

  it("has every acknowledged decision as begun and settled, with the score and result that the client was told", () => {
    const settled = new Map(of("settled").map(({ entry }) => [entry.decision as string, entry.meta]));
    const begun = new Set<string>(of("begun").map(({ entry }) => entry.decision!));
    expect(new Set(acknowledged.map((answer) => answer.decision_id)).size).toBe(acknowledged.length);
    for (const { decision_id, score, result } of acknowledged) {
      expect(begun.has(decision_id), decision_id).toBe(true);
      expect(settled.get(decision_id), decision_id).toMatchObject({ score, result });
      expect(["answered", "referred"]).toContain(settled.get(decision_id)!["state"]);
    }
  });

  it("has settled every begun decision exactly once, the interrupted ones as such", () => {
    const times = new Map<string, number>();
    for (const { entry } of of("settled")) times.set(entry.decision!, (times.get(entry.decision!) ?? 0) + 1);
    const begun = of("begun").map(({ entry }) => entry.decision as string);
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun.filter((decision) => times.get(decision) !== 1)).toEqual([]);
    const interrupted = of("settled").filter(({ entry }) => entry.meta["state"] === "interrupted");
    // Twelve were always under way: a kill that interrupted none in ten rounds would have hit nothing.
    expect(interrupted.length).toBeGreaterThan(0);
    const told = new Set(acknowledged.map((answer) => answer.decision_id));
    expect(interrupted.filter(({ entry }) => told.has(entry.decision!))).toEqual([]);
    for (const { entry } of interrupted)
      expect(entry.meta).toMatchObject({ code: "internal", usage: { estimated: true } });
    console.log(
      `crash: ${acknowledged.length} acknowledged, ${begun.length} begun, ${interrupted.length} interrupted, ${saved.size} saved checkpoints`,
    );
  });

  it("numbers entries without a gap, on the node and for the tenant", () => {
    expect(entries.map(({ entry }) => entry.seq)).toEqual(entries.map((_, i) => i));
    const own = entries.filter(({ entry }) => entry.tenant === "lindenbank");
    expect(own.map(({ entry }) => entry.tenant_seq)).toEqual(own.map((_, i) => i));
  });

  const of = (kind: string) => entries.filter(({ entry }) => entry.kind === kind);
});
