/** A disk without space under a whole running house, and a projection that somebody else holds locked. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { readEntries, verifyStore } from "../../src/ledger/index.ts";
import { FileFault, type FilePort, type OpenFile, nodeFiles } from "../../src/stores/files/index.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

/** The real disk, which can be told to have no space left. */
class FillableDisk implements FilePort {
  full = false;
  /** Of refused calls. */
  refused = 0;
  #guard(path: string): void {
    if (!this.full) return;
    this.refused++;
    throw new FileFault("ENOSPC", path, `${path}: no space left on device`);
  }
  async open(path: string, options?: { mode?: number }): Promise<OpenFile> {
    const file = await nodeFiles.open(path, options);
    return {
      size: () => file.size(),
      write: async (bytes, offset) => {
        this.#guard(path);
        await file.write(bytes, offset);
      },
      datasync: async () => {
        this.#guard(path);
        await file.datasync();
      },
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  }
  async replace(path: string, bytes: Uint8Array, options?: { mode?: number; onlyIfAbsent?: boolean }) {
    this.#guard(path);
    return nodeFiles.replace(path, bytes, options);
  }
  read = nodeFiles.read;
  list = nodeFiles.list;
  remove = nodeFiles.remove;
  lock = nodeFiles.lock;
  locked = nodeFiles.locked;
}

const applicants = heldOutApplicants(bankExample);
const creditHeaders = (row: number) => ({
  "x-weir-subject": `applicant-${row}`,
  "x-weir-consent": "loan-application-2026",
});

/** Small, so that a handful of long questions fills the queue. */
const maxQueuedBytes = 2 * 1024 * 1024;

let disk: FillableDisk;
let house: TestHouse;
let bearer: { authorization: string };
beforeEach(async () => {
  disk = new FillableDisk();
  house = await startHouse({ filePort: disk, maxQueuedBytes });
  bearer = { authorization: `Bearer ${house.mintKey()}` };
});
afterEach(async () => {
  disk.full = false;
  await house.stop();
});

interface Told {
  status: number;
  code: string | undefined;
  decision: string;
  retryAfter: string | null;
  body: Record<string, unknown>;
}

/** `withinMs` is no measurement: an answer that waits for the disk would never come. */
async function tell(path: string, body: unknown, headers: Record<string, string> = {}, withinMs = 4000): Promise<Told> {
  const response = await Promise.race([
    house.post(path, body, { ...bearer, ...headers }),
    house.house.options.clock
      .sleep(withinMs)
      .then(() => Promise.reject(new Error(`no answer from ${path}: it waits for the disk`))),
  ]);
  const told = (await response.json()) as Record<string, unknown>;
  const error = told["error"] as { code?: string } | undefined;
  return {
    status: response.status,
    code: (told["code"] as string | undefined) ?? error?.code,
    decision: response.headers.get("x-weir-decision-id") ?? "",
    retryAfter: response.headers.get("retry-after"),
    body: told,
  };
}
const credit = (i: number) => tell("/v1/decisions/credit", applicants[i]!.body, creditHeaders(applicants[i]!.row));
const question = (text = "What does a current account cost?") => ({
  model: "assistant",
  messages: [{ role: "user", content: text }],
});
const assistant = (text?: string) => tell("/v1/chat/completions", question(text));

/** Makes the journal notice: the first write after the disk is full fails. */
async function fill(): Promise<void> {
  disk.full = true;
  expect((await assistant("Where can I pay in cash?")).status).toBe(200);
  // Real I/O stands before the failing write: as many turns as it takes, and an end for a journal that never notices.
  for (let turn = 0; house.house.journal.health().writable && turn < 1_000_000; turn++)
    await new Promise<void>((resolve) => setImmediate(resolve));
  expect(house.house.journal.health()).toMatchObject({
    writable: false,
    lastError: expect.stringContaining("no space"),
  });
}

async function entriesByDecision(): Promise<Map<string, string[]>> {
  const kinds = new Map<string, string[]>();
  let next = 0;
  const dir = join(house.dataDir, "ledger");
  for await (const { entry } of readEntries({ dir, files: nodeFiles, node: "server" })) {
    expect(entry.seq).toBe(next++);
    if (entry.decision !== undefined) kinds.set(entry.decision, [...(kinds.get(entry.decision) ?? []), entry.kind]);
  }
  return kinds;
}

/** After space came back: all is written, in order, and the store is intact. */
async function expectAllWritten(recorded: readonly string[]): Promise<Map<string, string[]>> {
  await house.house.journal.flush();
  await house.house.journal.checkpoint();
  expect(house.house.journal.health()).toMatchObject({ writable: true, full: false, queuedBytes: 0 });
  const kinds = await entriesByDecision();
  for (const decision of recorded) expect(kinds.get(decision)?.at(-1), decision).toBe("settled");
  for (const [decision, list] of kinds) expect(list.filter((kind) => kind === "settled").length, decision).toBe(1);
  const sinks = [join(house.folder, "checkpoints")];
  const { ok, findings } = await verifyStore({ dir: join(house.dataDir, "ledger"), files: nodeFiles, sinks });
  expect(findings.filter(({ severity }) => severity !== "note")).toEqual([]);
  expect(ok).toBe(true);
  return kinds;
}

describe("no space left on the journal's disk", () => {
  it("fails a high-risk decision closed at once, and serves again when space is back", async () => {
    const before = await credit(0);
    expect(before.status).toBe(200);
    await fill();
    const during = await credit(1);
    expect(during).toMatchObject({ status: 503, code: "record_unavailable" });
    expect(during.decision).toMatch(/^dec_/);
    expect(Number(during.retryAfter)).toBeGreaterThan(0);
    disk.full = false;
    await house.house.journal.flush();
    const after = await credit(2);
    expect(after.status).toBe(200);
    await expectAllWritten([before.decision, after.decision]);
    expect(house.house.limits.running).toBe(0);
    expect(house.house.money.held).toBe(0);
  });

  it("does so too for the decision whose own entry is the first to meet the full disk", async () => {
    disk.full = true;
    const first = await credit(0);
    expect(first).toMatchObject({ status: 503, code: "record_unavailable" });
    expect(disk.refused).toBeGreaterThan(0);
    disk.full = false;
    await house.house.journal.flush();
    const kinds = await expectAllWritten([]);
    // Its begun entry was taken, so the record says how it ended.
    const own = kinds.get(first.decision);
    if (own) expect(own.at(-1)).toBe("settled");
    expect(house.house.limits.running).toBe(0);
  });

  it("says so on the ops port while it lasts", async () => {
    await fill();
    const during = await fetch(`${house.opsOrigin}/readyz`);
    expect(during.status).toBe(503);
    expect(await (await fetch(`${house.opsOrigin}/metrics`)).text()).toMatch(/^weir_journal_writable 0$/m);
    disk.full = false;
    await house.house.journal.flush();
    expect((await fetch(`${house.opsOrigin}/readyz`)).status).toBe(200);
  });

  it("lets the assistant go on until the queue is full, then refuses, then writes all of it in order", async () => {
    await fill();
    const long = `What does a current account cost? ${"x".repeat(maxQueuedBytes / 8)}`;
    const answered: string[] = [];
    let refused: Told | undefined;
    for (let i = 0; i < 14 && !refused; i++) {
      const told = await tell("/v1/chat/completions", question(`${i} ${long}`));
      if (told.status === 200) answered.push(told.decision);
      else refused = told;
    }
    expect(answered.length).toBeGreaterThan(3);
    expect(refused).toMatchObject({ status: 503, code: "record_unavailable" });
    expect(house.house.journal.health().full).toBe(true);
    expect(house.house.journal.health().queuedBytes).toBeGreaterThan(maxQueuedBytes);
    expect(await assistant()).toMatchObject({ status: 503, code: "record_unavailable" });
    expect(await credit(3)).toMatchObject({ status: 503, code: "record_unavailable" });
    // What the refused ones held is given back.
    expect(house.house.limits.running).toBe(0);
    disk.full = false;
    const kinds = await expectAllWritten(answered);
    for (const decision of answered) expect(kinds.get(decision)).toEqual(["begun", "attempt", "settled"]);
    expect((await assistant()).status).toBe(200);
    expect((await credit(4)).status).toBe(200);
    expect(refused!.retryAfter).toBe("2");
  });
});

/** What the projection lists, once it lists as many. */
async function listed(count: number): Promise<Set<string>> {
  const { index } = house.house;
  for (;;) {
    const arrived = new Promise<void>((resolve) => {
      const off = index.onArrival(() => {
        off();
        resolve();
      });
    });
    const { rows } = await index.list({}, undefined, 50);
    if (rows.length >= count) return new Set(rows.map((row) => row.decision_id));
    await arrived;
  }
}

describe.each(["projection.sqlite", "control.sqlite"])("%s locked by another process", (name) => {
  it("serves requests all the same, and the projection catches up afterwards", async () => {
    const other = new DatabaseSync(join(house.dataDir, name));
    other.exec("BEGIN EXCLUSIVE");
    const decisions: string[] = [];
    try {
      for (let i = 0; i < 5; i++) {
        const told = await credit(i);
        expect(told.status).toBe(200);
        decisions.push(told.decision);
      }
      const asked = await assistant();
      expect(asked.status).toBe(200);
      decisions.push(asked.decision);
    } finally {
      other.exec("ROLLBACK");
      other.close();
    }
    await house.house.journal.flush();
    expect(await listed(decisions.length)).toEqual(new Set(decisions));
  });
});
