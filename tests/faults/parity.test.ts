/** Nothing is served unrecorded, counted twice or left held: a mixed load with faults, and the books compared afterwards. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import type { AttemptMeta, SettledMeta } from "../../src/kernel/decision.ts";
import { type StoredEntry, readEntries, verifyStore } from "../../src/ledger/index.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";
import { type Received, type Script, type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { ask, entriesOf, leftovers, metric, until, vendorConfig } from "./vendor-house.ts";

const useCases = `
plain: { kind: chat, ladder: [oa-main, ob-main], retries: 0 }
cross: { kind: chat, ladder: [an-main, ob-main], retries: 0 }
alone: { kind: chat, ladder: [oa-main], retries: 0 }
lost: { kind: chat, ladder: [lost, ob-main], retries: 0 }
guarded: { kind: chat, screen: [cards], check: [cards], ladder: [oa-main, ob-main], retries: 0 }
cached: { kind: chat, ladder: [oa-main], retries: 0, cache: { exact: 10m } }
tight: { kind: chat, ladder: [ob-main], retries: 0, limits: { requests_per_minute: 5, concurrency: 3 } }
purposeful: { kind: chat, purpose: [advice, training], ladder: [ob-main], retries: 0 }
credit:
  kind: score
  risk: high
  purpose: credit-check
  consent: required
  input: schemas/applicant.yaml
  ladder: [baseline, { refer: underwriters }]
  decide: [{ when: score >= 0.7, result: approve }, { result: refer, to: underwriters }]
`;
const tenants = `tenants:
  lindenbank: {}
  poor: { budget: { usd: "0.0001", per: day, at_limit: block } }
consents: consents.yaml`;
const config = (origin: string) =>
  vendorConfig(origin, useCases, tenants).replace(
    "guards:",
    "  baseline: { runtime: rules, file: rules/credit.yaml }\nguards:",
  );

let vendor: ScriptedVendor;
let house: TestHouse;
let key: string;
let poorKey: string;
beforeAll(async () => {
  vendor = await startScriptedVendor();
  // The question says how its vendor shall behave, so that the order of arrival does not matter.
  vendor.fallback((request) => scriptFor(request));
  house = await startHouse({ files: { "weir.yaml": config(vendor.origin) } });
  key = house.mintKey();
  poorKey = house.mintKey({ tenant: "poor" });
});
afterAll(() => vendor.close());

const scripts: Record<string, Script> = {
  ok: { text: "A good answer.", usage: { input: 30, cached: 4, output: 6 } },
  calls: { calls: [{ id: "c1", name: "f", arguments: '{"a":1}' }], usage: { input: 30, output: 6 } },
  unreported: { text: "An answer without usage." },
  rejected: { status: 400 },
  failing: { status: 500 },
  busy: { status: 429, headers: { "retry-after": "1" } },
  refused: { reset: "before-headers" },
  garbled: { lie: { contentType: "text/plain", body: "?" } },
  truncated: { text: "Half an answer", ending: "truncate" },
  torn: { text: "Half an answer", ending: "reset" },
  erring: { text: "Half an answer", ending: "error-event" },
  leaking: { text: "The card is 4111 1111 1111 1111." },
  hanging: { hang: "before-headers" },
  stuck: { text: "Half an answer", ending: "hang" },
};

function scriptFor(request: Received): Script {
  const said = /script=(\w+)/.exec(request.body.toString("utf8"))?.[1] ?? "ok";
  const second = request.path.startsWith("/second");
  // The second vendor is well, unless the whole ladder shall fail.
  return second && !request.body.includes("everywhere") ? scripts["ok"]! : scripts[said]!;
}

type Act = (i: number) => Promise<unknown>;

const put =
  (useCase: string, script: string, more: Partial<Parameters<typeof ask>[2]> & { own?: () => string } = {}): Act =>
  async (i) => {
    const { own, text, ...question } = more;
    const said = text ?? `Question ${i}, script=${script}`;
    const response = await ask(house.origin, own?.() ?? key, { useCase, text: said, ...question });
    await response.text();
  };

/** Leaves once the vendor has the request, or once the first bytes of the answer are here. */
const leave =
  (script: string, stream: boolean): Act =>
  async (i) => {
    const mark = `leaver ${i},`;
    const client = new AbortController();
    const pending = ask(house.origin, key, {
      useCase: "plain",
      stream,
      text: `${mark} script=${script}`,
      signal: client.signal,
    });
    pending.catch(() => {});
    const arrived = await vendor.arrivalOf((one) => one.body.includes(mark));
    if (script === "stuck" && stream) await (await pending).body!.getReader().read();
    client.abort();
    await arrived.aborted;
  };

/** Three ask the same at once: one leads, the others follow or come just too late. */
async function crowd(i: number): Promise<void> {
  extra += 2;
  const together = put("cached", "ok", { text: `The crowd's question ${i}, script=ok` });
  await Promise.all([together(i), together(i), together(i)]);
}
let extra = 0;

const raw =
  (path: string, init: RequestInit): Act =>
  async () => {
    await (await fetch(house.origin + path, init)).text();
  };
const chat = "/v1/chat/completions";
const bearer = () => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });
const post =
  (body: string, headers: () => Record<string, string> = bearer): Act =>
  (i) =>
    raw(chat, { method: "POST", headers: headers(), body })(i);

const applicant = heldOutApplicants(bankExample)[0]!;
const score =
  (headers: Record<string, string>, body: unknown = applicant.body): Act =>
  async () => {
    const response = await house.post("/v1/decisions/credit", body, { authorization: `Bearer ${key}`, ...headers });
    await response.text();
  };
const consent = { "x-weir-subject": "s-1", "x-weir-consent": "loan-application-2026" };

const acts: Act[] = [
  put("plain", "ok"),
  put("plain", "ok", { stream: true }),
  put("plain", "ok", { dialect: "anthropic" }),
  put("cross", "ok", { stream: true }),
  put("cross", "calls", { dialect: "anthropic", stream: true }),
  put("plain", "unreported", { stream: true }),
  put("plain", "rejected"),
  put("alone", "rejected", { stream: true }),
  put("plain", "failing"),
  put("plain", "failing", { text: "script=failing everywhere" }),
  put("alone", "failing", { stream: true }),
  put("alone", "busy"),
  put("cross", "refused", { stream: true }),
  put("plain", "garbled"),
  put("plain", "garbled", { stream: true }),
  put("plain", "truncated", { stream: true }),
  put("cross", "torn", { stream: true }),
  put("plain", "erring", { stream: true, dialect: "anthropic" }),
  put("lost", "ok"),
  put("guarded", "leaking"),
  put("guarded", "leaking", { text: "script=leaking everywhere", stream: true }),
  put("guarded", "ok", { text: "My card is 4111 1111 1111 1111" }),
  put("cached", "ok", { text: "The same question, script=ok" }),
  put("cached", "ok", { text: "The same question, script=ok", stream: true }),
  put("cached", "failing", { text: "The same failing question, script=failing" }),
  put("cached", "truncated", { text: "The same broken question, script=truncated", stream: true }),
  put("cached", "ok", { text: "The same question, script=ok", dialect: "anthropic" }),
  crowd,
  put("tight", "ok"),
  put("purposeful", "ok"),
  put("purposeful", "ok", { headers: { "x-weir-purpose": "advice" } }),
  put("alone", "ok", { own: () => poorKey }),
  put("plain", "ok", { own: () => poorKey }),
  leave("hanging", false),
  leave("hanging", true),
  leave("stuck", false),
  leave("stuck", true),
  put("plain", "ok", { text: "script=ok once", headers: { "idempotency-key": "once" } }),
  put("plain", "failing", { text: "script=failing everywhere once", headers: { "idempotency-key": "once-failing" } }),
  put("plain", "ok", { headers: { "idempotency-key": "clash" } }),
  post("{not json"),
  post("[]"),
  post(JSON.stringify({ model: "plain", messages: "none" })),
  post(JSON.stringify({ model: "plain", messages: [{ role: "user", content: "hi" }] }), () => ({
    ...bearer(),
    "content-type": "text/plain",
  })),
  post(JSON.stringify({ model: "credit", messages: [{ role: "user", content: "hi" }] })),
  post("x".repeat(9 << 20)),
  put("nothing", "ok"),
  put("plain", "ok", { own: () => "wr_dev_wrong" }),
  put("plain", "ok", { own: () => `${key.slice(0, -1)}~` }),
  raw("/v1/nothing", { method: "GET" }),
  raw(chat, { method: "GET" }),
  score(consent),
  score({ "x-weir-subject": "s-1" }),
  score(consent, { features: { Nonsense: 1 } }),
  score({ ...consent, "idempotency-key": "score-once" }),
];

const rounds = 8;
const width = 40;

interface Books {
  entries: StoredEntry[];
  begun: string[];
  settled: { decision: string; meta: SettledMeta }[];
  attempts: { decision: string; meta: AttemptMeta }[];
}

async function booksOf(of: TestHouse): Promise<Books> {
  const entries = await entriesOf(of);
  const kind = (wanted: string) => entries.filter(({ entry }) => entry.kind === wanted);
  return {
    entries,
    begun: kind("begun").map(({ entry }) => entry.decision!),
    settled: kind("settled").map(({ entry }) => ({
      decision: entry.decision!,
      meta: entry.meta as unknown as SettledMeta,
    })),
    attempts: kind("attempt").map(({ entry }) => ({
      decision: entry.decision!,
      meta: entry.meta as unknown as AttemptMeta,
    })),
  };
}

const counted = (values: readonly string[]) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe("after a mixed load with aborts, vendor faults, bad requests, limits and repetitions", () => {
  let books: Books;
  let sent = 0;
  beforeAll(async () => {
    const jobs = Array.from({ length: rounds }, () => acts).flat();
    // A fixed shuffle: neighbours in the table must not always be neighbours in time.
    const order = jobs.map((_, i) => (i * 131) % jobs.length);
    if (new Set(order).size < jobs.length) throw new Error("the stride must share no factor with the number of jobs");
    const worker = async () => {
      for (let next = order.pop(); next !== undefined; next = order.pop()) {
        sent += 1;
        await jobs[next]!(next);
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
    await until(() => leftovers(house).running === 0, "everything has been settled");
    books = await booksOf(house);
  }, 60_000);

  it("every request is one of: a decision, a counted refusal, a replay", () => {
    const replays = metric(house, "weir_replays_total");
    const refusals = metric(house, "weir_refusals_total");
    expect(replays).toBeGreaterThan(5);
    expect(refusals).toBeGreaterThan(50);
    expect(sent).toBe(acts.length * rounds);
    expect(books.settled.length + refusals + replays).toBe(sent + extra);
  });

  it("every decision is settled exactly once, and begun at most once before", () => {
    expect(Object.entries(counted(books.settled.map(({ decision }) => decision))).filter(([, n]) => n !== 1)).toEqual(
      [],
    );
    expect(Object.entries(counted(books.begun)).filter(([, n]) => n !== 1)).toEqual([]);
    const unbegun = books.settled.filter(({ meta }) => meta.refused_before_begin);
    expect(books.begun.length + unbegun.length).toBe(books.settled.length);
    const begun = new Set(books.begun);
    expect(
      books.settled.filter(({ decision, meta }) => begun.has(decision) === (meta.refused_before_begin ?? false)),
    ).toEqual([]);
  });

  it("counters say what the journal says", () => {
    expect(metric(house, "weir_decisions_begun_total")).toBe(books.begun.length);
    expect(metric(house, "weir_decisions_total")).toBe(books.settled.length);
    for (const state of ["answered", "referred", "refused", "failed"])
      expect([state, metric(house, "weir_decisions_total", `state="${state}"`)]).toEqual([
        state,
        books.settled.filter(({ meta }) => meta.state === state).length,
      ]);
    expect(metric(house, "weir_cost_nano_usd_total")).toBe(total(books.settled.map(({ meta }) => meta.cost_nano_usd)));
  });

  it("every call that a vendor saw is one recorded attempt, and the other way round", () => {
    const reached = books.attempts.filter(
      ({ meta }) =>
        meta.status !== "unaffordable" && meta.reason !== "connect_failed" && !meta.target.startsWith("rules/"),
    );
    expect(reached.length).toBe(vendor.received.length);
    const own = counted(books.attempts.map(({ decision }) => decision));
    expect(books.settled.filter(({ decision, meta }) => (own[decision] ?? 0) !== meta.attempts)).toEqual([]);
  });

  it("each attempt's usage and cost is in its decision, to the last nano-dollar", () => {
    const sums = new Map<string, { cost: number; input: number; output: number }>();
    for (const { decision, meta } of books.attempts) {
      const sum = sums.get(decision) ?? { cost: 0, input: 0, output: 0 };
      sums.set(decision, {
        cost: sum.cost + meta.cost_nano_usd,
        input: sum.input + meta.usage.input + meta.usage.cached_input,
        output: sum.output + meta.usage.output,
      });
      expect(meta.cost_nano_usd).toBeLessThanOrEqual(meta.held_nano_usd);
    }
    for (const { decision, meta } of books.settled)
      expect({
        cost: meta.cost_nano_usd,
        input: meta.usage.input + meta.usage.cached_input,
        output: meta.usage.output,
      }).toEqual(sums.get(decision) ?? { cost: 0, input: 0, output: 0 });
    for (const tenant of ["lindenbank", "poor"]) {
      const spent = books.attempts
        .filter((_, i) => tenantOf(books, i) === tenant)
        .map(({ meta }) => meta.cost_nano_usd);
      expect([tenant, house.house.money.totals(tenant)]).toEqual([tenant, { spent: total(spent), held: 0 }]);
    }
  });

  it("nothing is left held", () => {
    expect(leftovers(house)).toEqual({ running: 0, held: 0, flights: 0 });
  });

  it("the load met every kind of end", () => {
    const codes = new Set(books.settled.map(({ meta }) => meta.code ?? meta.state));
    expect([...codes].sort()).toEqual(
      [
        "answered",
        "budget_exhausted",
        "client_gone",
        "consent_required",
        "idempotency_mismatch",
        "input_blocked",
        "invalid_input",
        "kind_mismatch",
        "ladder_exhausted",
        "output_blocked",
        "purpose_required",
        "stream_broken",
        "upstream_rejected",
        ...[...codes].filter((code) => /_limited$|in_flight$|^referred$/.test(code)),
      ].sort(),
    );
    expect([...codes].some((code) => code.endsWith("_limited"))).toBe(true);
    const cache = new Set(books.settled.map(({ meta }) => meta.cache.status));
    expect([...cache].filter((status) => status !== "follower").sort()).toEqual(["hit", "miss", "off"]);
  });

  it("the store verifies after the process has ended", async () => {
    await house.stop(2000, true);
    const verified = await verifyStore({ dir: house.house.paths.ledger, files: nodeFiles });
    expect(verified.findings.filter((finding) => (finding as { severity?: string }).severity !== "note")).toEqual([]);
    expect(verified).toMatchObject({ ok: true, entries: books.entries.length });
    const again = await startHouse({ files: { "weir.yaml": config(vendor.origin) }, dataDir: house.dataDir });
    try {
      // Nothing was left open, so nothing is settled as interrupted; the money spent is known again.
      expect((await booksOf(again)).settled.length).toBe(books.settled.length);
      const spent = total(
        books.attempts.filter((_, i) => tenantOf(books, i) === "lindenbank").map(({ meta }) => meta.cost_nano_usd),
      );
      expect(again.house.money.totals("lindenbank")).toEqual({ spent, held: 0 });
    } finally {
      await again.stop();
      await house.stop().catch(() => {});
    }
  });
});

function tenantOf(books: Books, attempt: number): string {
  const { decision } = books.attempts[attempt]!;
  return books.entries.find(({ entry }) => entry.decision === decision)!.entry.tenant;
}

describe("an orderly stop in the middle of work", () => {
  it("leaves no decision open and nothing held", async () => {
    const own = await startHouse({ files: { "weir.yaml": config(vendor.origin) } });
    const ownKey = own.mintKey();
    const before = vendor.received.length;
    const pending = Array.from({ length: 12 }, (_, i) =>
      ask(own.origin, ownKey, {
        useCase: "plain",
        stream: i % 2 === 0,
        text: `stopper ${i}, script=${i % 3 === 0 ? "stuck" : "hanging"}`,
      }).then((response) => response.text()),
    );
    const settledAll = Promise.allSettled(pending);
    await vendor.arrival(before + 11);
    const { ledger } = own.house.paths;
    await own.stop(0, true);
    await settledAll;
    const kinds: Record<string, number> = {};
    for await (const { entry } of readEntries({ dir: ledger, files: nodeFiles, node: "server" }))
      kinds[entry.kind] = (kinds[entry.kind] ?? 0) + 1;
    expect(leftovers(own)).toEqual({ running: 0, held: 0, flights: 0 });
    expect(kinds).toMatchObject({ begun: 12, attempt: 12, settled: 12 });
    await own.stop().catch(() => {});
  });
});
