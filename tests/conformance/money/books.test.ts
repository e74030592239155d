/**
 * Ten thousand mixed calls over real HTTP, and then the books: one row for each call of a vendor, to the nano-dollar what
 * the vendor's invoice says where it reported its usage, flagged as an estimate where it didn't. Ledger, money book and
 * projection agree.
 */
import { Agent, type ClientRequest, request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import type { Signal } from "../../../src/kernel/signal.ts";
import type { AttemptMeta, SettledMeta } from "../../../src/kernel/decision.ts";
import { type TimedHouse, entriesOf, startOnClock, until } from "../../faults/vendor-house.ts";
import { type Received, type ScriptedVendor, startScriptedVendor } from "../../fixtures/scripted-vendor.ts";
import { type VendorName, vendorCases, vendorNames } from "../dialects/vendors.ts";
import { invoice, listAt } from "./invoice.ts";
import { type Act, actsOf, lastWord, truthfulOf } from "./mixed-load.ts";
import { priceChange, priceLists } from "./price-lists.ts";

const count = 10_000;
const atOnce = 32;

/** Time moves while somebody waits on purpose (a back-off, a key that cools down), and where the test says so. */
class PatientClock extends VirtualClock {
  #until = 0;
  #moving = false;

  override sleep(delayMs: number, signal?: Signal): Promise<void> {
    const slept = super.sleep(delayMs, signal);
    this.#until = Math.max(this.#until, this.now() + delayMs + 1);
    void this.#move();
    return slept;
  }

  async #move(): Promise<void> {
    if (this.#moving) return;
    this.#moving = true;
    while (this.now() < this.#until) await this.advance(this.#until - this.now());
    this.#moving = false;
  }
}

const lines = (each: (name: VendorName) => string) => vendorNames.map((name) => `  ${each(name)}`).join("\n");
const patient = "health: { failures: 1000000, failure_rate: 1, retry_share: 1 }";

const model = (name: VendorName): string => {
  const price = JSON.stringify(priceLists[name]);
  return `{ vendor: ${name}, model: "${vendorCases[name].model}", price: ${price}, max_output: 2000 }`;
};

const config = (origin: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants: { lindenbank: { budget: { usd: "1000000", per: month } } }
vendors:
${lines((name) => `${name}: ${vendorCases[name].config.replace("ORIGIN", origin).replace(/ }$/, `, ${patient} }`)}`)}
models:
${lines((name) => `m-${name}: ${model(name)}`)}
${lines((name) => `t-${name}: ${model(name)}`)}
use_cases:
${lines((name) => `${name}: { kind: chat, ladder: [m-${name}], retries: 2 }`)}
${lines((name) => `${truthfulOf(name)}: { kind: chat, ladder: [t-${name}], retries: 2 }`)}
`;

let vendor: ScriptedVendor;
let house: TimedHouse;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const acts = actsOf(count, 20_261_122);
/** When each act was asked, its decision by the trace that its client sent, and its request while it runs. */
const askedAtMs: number[] = [];
const decisions = new Map<string, string>();
const running = new Map<number, ClientRequest>();
const traceOf = (index: number): string => `00-${String(index + 1).padStart(32, "0")}-${"1".padStart(16, "0")}-01`;
const attempts = new Map<string, AttemptMeta[]>();
const settled = new Map<string, SettledMeta>();

beforeAll(async () => {
  vendor = await startScriptedVendor();
  const calls = new Map<number, number>();
  vendor.fallback((call: Received) => {
    const index = Number(/#(\d+)#/.exec(call.body.toString("latin1"))![1]);
    const nth = calls.get(index) ?? 0;
    calls.set(index, nth + 1);
    const script = acts[index]!.scripts[nth] ?? { status: 418 };
    if ("hang" in script) running.get(index)!.destroy();
    return script;
  });
  const changeMs = Date.parse(priceChange);
  const clock = new PatientClock(changeMs - 1_200_000);
  house = await startOnClock(clock, config(vendor.origin), undefined, {
    VENDOR_KEY: "sk-vendor",
    AWS_KEY: "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  });
  await playAll(acts.slice(0, count / 2));
  await clock.advance(changeMs - clock.now());
  await playAll(acts.slice(count / 2));
  for (const { entry } of await entriesOf(house)) {
    const { decision, kind } = entry;
    if (decision === undefined) continue;
    if (kind === "attempt")
      attempts.set(decision, [...(attempts.get(decision) ?? []), entry.meta as unknown as AttemptMeta]);
    else if (kind === "settled") settled.set(decision, entry.meta as unknown as SettledMeta);
    else if (kind === "begun") decisions.set(String(entry.meta["trace"]), decision);
  }
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await house.close();
  await vendor.close();
});

async function playAll(some: readonly Act[]): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < some.length) await play(some[next++]!);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await until(() => house.house.limits.running === 0 && house.house.money.held === 0, "everything has ended");
}

const paths = {
  "openai-chat": "/v1/chat/completions",
  "openai-responses": "/v1/responses",
  "anthropic-messages": "/v1/messages",
} as const;

const bodyOf = ({ client, useCase, stream, text, n }: Act): string =>
  JSON.stringify({
    model: useCase,
    ...(client === "openai-responses" ? { input: text } : { messages: [{ role: "user", content: text }] }),
    ...(client === "anthropic-messages" && { max_tokens: 1500 }),
    ...(n !== undefined && { n }),
    ...(stream && { stream }),
  });

/** Resolves when the answer is over, or the client gone. */
async function play(act: Act): Promise<void> {
  const body = bodyOf(act);
  askedAtMs[act.index] = house.clock.now();
  await new Promise<void>((resolve, reject) => {
    const call = httpRequest(
      house.origin + paths[act.client],
      {
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          authorization: `Bearer ${house.key}`,
          traceparent: traceOf(act.index),
        },
      },
      (response) => {
        let heard = "";
        response.on("data", (chunk: Buffer) => {
          if (!act.aborts) return;
          heard += chunk.toString("latin1");
          if (heard.includes(lastWord)) call.destroy();
        });
        response.on("close", () => resolve());
        response.on("error", () => {});
      },
    );
    call.on("error", (fault) => (act.aborts ? resolve() : reject(fault)));
    running.set(act.index, call);
    call.end(body);
  });
  running.delete(act.index);
}

const rowsOf = ({ index }: Act): AttemptMeta[] => attempts.get(decisions.get(traceOf(index))!) ?? [];

/** Every due with the row that books it. */
const booked = () =>
  acts.flatMap((act) =>
    act.dues.map((due, nth) => ({
      act,
      due,
      nth,
      row: rowsOf(act)[nth]!,
      list: listAt(priceLists[act.vendor], askedAtMs[act.index]!),
    })),
  );

const sumOf = (amounts: Iterable<number | bigint>): bigint => {
  let total = 0n;
  for (const amount of amounts) total += BigInt(amount);
  return total;
};

describe("ten thousand mixed calls", () => {
  it("are of every kind", () => {
    const kinds = (name: string, holds: (act: Act) => boolean) => [name, acts.some(holds)];
    const billed = (holds: (billed: Record<string, unknown>) => boolean) => (act: Act) =>
      act.dues.some((due) => due.kind === "reported" && holds(due.billed as unknown as Record<string, unknown>));
    for (const [name, is] of [
      ...vendorNames.map((vendorName) => kinds(vendorName, (act) => act.vendor === vendorName)),
      ...Object.keys(paths).map((client) => kinds(client, (act) => act.client === client)),
      kinds("aborted amid a stream", ({ aborts, stream }) => aborts && stream),
      kinds("aborted before an answer", ({ aborts, stream }) => aborts && !stream),
      kinds("several answers", ({ n }) => n === 2),
      kinds("tried again", ({ dues }) => dues.length > 1),
      kinds("never answered", ({ dues }) => dues.every(({ kind }) => kind === "nothing")),
      kinds(
        "zeros",
        billed(({ input, output }) => input === 0 && output === 0),
      ),
      ...["cached_input", "cache_write", "cache_write_1h", "reasoning", "audio_input", "audio_output"].map((meter) =>
        kinds(
          meter,
          billed((usage) => Number(usage[meter] ?? 0) > 0),
        ),
      ),
      ...["flex", "priority"].map((tier) =>
        kinds(
          tier,
          billed((usage) => usage["service_class"] === tier),
        ),
      ),
    ])
      expect(is, String(name)).toBe(true);
    const before = askedAtMs.filter((atMs) => atMs < Date.parse(priceChange));
    expect(before).toHaveLength(count / 2);
  });

  it("have one row for each call of a vendor, and are settled once", () => {
    const wrong = acts.filter((act) => rowsOf(act).length !== act.dues.length);
    expect(
      wrong
        .slice(0, 3)
        .map((act) => [
          `${act.client} over ${act.vendor}${act.stream ? ", streamed" : ""}`,
          act.scripts,
          rowsOf(act).map(({ status, reason }) => [status, reason]),
        ]),
    ).toEqual([]);
    expect(vendor.received).toHaveLength(acts.flatMap(({ dues }) => dues).length);
    expect(settled.size).toBe(count);
    expect([...attempts.values()].flat()).toHaveLength(vendor.received.length);
  });

  it("are booked to the nano-dollar as the vendor's invoice says, wherever it reported its usage", () => {
    const rows = booked().filter(({ due }) => due.kind === "reported");
    expect(rows.length).toBeGreaterThan(count * 0.7);
    const wrong = rows.filter(({ due, row, list }) => {
      if (due.kind !== "reported") return true;
      const { estimated, ...usage } = row.usage;
      const same = Object.entries(due.billed).every(
        ([meter, told]) => (usage as Record<string, unknown>)[meter] === told,
      );
      return estimated || !same || BigInt(row.cost_nano_usd) !== invoice(due.billed, list);
    });
    expect(
      wrong.slice(0, 3).map(({ act, due, row, list }) => ({
        at: `${act.client} over ${act.vendor}${act.stream ? ", streamed" : ""}`,
        row: [row.usage, row.cost_nano_usd],
        due,
        invoice: due.kind === "reported" && invoice(due.billed, list),
      })),
    ).toEqual([]);
    const total = sumOf(rows.map(({ due, list }) => (due.kind === "reported" ? invoice(due.billed, list) : 0n)));
    expect(sumOf(rows.map(({ row }) => row.cost_nano_usd))).toBe(total);
  });

  it("cost nothing where the vendor refused", () => {
    const rows = booked().filter(({ due }) => due.kind === "nothing");
    expect(rows.length).toBeGreaterThan(100);
    for (const { row } of rows)
      expect(row).toMatchObject({ status: "failed", cost_nano_usd: 0, usage: { input: 0, output: 0 } });
  });

  it("are flagged as estimates wherever the vendor reported nothing, and priced as they are booked", () => {
    const rows = booked().filter(({ due }) => due.kind === "unreported");
    expect(rows.length).toBeGreaterThan(500);
    for (const { row, list } of rows) {
      expect(row.usage.estimated).toBe(true);
      expect(BigInt(row.cost_nano_usd)).toBe(invoice(row.usage, list));
    }
    report(
      rows.map(({ row, due, list }) => ({ row, list, would: due.kind === "unreported" ? due.would : undefined! })),
    );
  });

  it("come to the same in the ledger, the decisions, the money book and the projection", async () => {
    const rows = [...attempts.values()].flat();
    const ledger = sumOf(rows.map(({ cost_nano_usd }) => cost_nano_usd));
    expect(sumOf([...settled.values()].map(({ cost_nano_usd }) => cost_nano_usd ?? 0))).toBe(ledger);
    expect(BigInt(house.house.money.totals("lindenbank").spent)).toBe(ledger);
    expect(house.house.money.totals("lindenbank").held).toBe(0);
    expect(house.house.money.expired).toBe(0);
    await house.house.index.caughtUp();
    const costs = await house.house.index.costs({ range: "24h", by: "use_case" }, house.clock.now());
    expect(costs.totals.decisions).toBe(count);
    expect(BigInt(costs.totals.cost_nano_usd)).toBe(ledger);
    for (const { name, spend } of costs.groups) {
      const own = acts.filter((act) => act.useCase === name).flatMap(rowsOf);
      expect([name, BigInt(spend.cost_nano_usd)]).toEqual([name, sumOf(own.map(({ cost_nano_usd }) => cost_nano_usd))]);
      expect([name, spend.output]).toEqual([name, own.reduce((all, { usage }) => all + usage.output, 0)]);
    }
  });
});

/** How far the estimates are from what the vendor would have billed; the vendor's counting is the load's yardstick. */
function report(
  rows: { row: AttemptMeta; list: ReturnType<typeof listAt>; would: { input: number; output: number } }[],
): void {
  const errors = (of: (row: (typeof rows)[number]) => readonly [booked: number, due: number]) =>
    rows
      .map(of)
      .filter(([, due]) => due > 0)
      .map(([is, due]) => (is - due) / due)
      .sort((a, b) => a - b);
  const percent = (share: number) => `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
  const told = (name: string, shares: number[]) => {
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const absolute = shares.reduce((sum, share) => sum + Math.abs(share), 0) / shares.length;
    return `${name}: median ${percent(shares[shares.length >> 1]!)}, mean ${percent(mean)}, mean of sizes ${percent(absolute)}`;
  };
  const lines = [
    `${rows.length} estimates against what the vendor would have billed (by this test's own count of words):`,
    told(
      "  input tokens",
      errors(({ row, would }) => [row.usage.input, would.input]),
    ),
    told(
      "  output tokens",
      errors(({ row, would }) => [row.usage.output, would.output]),
    ),
    told(
      "  cost",
      errors(({ row, list, would }) => [row.cost_nano_usd, Number(invoice({ ...would, cached_input: 0 }, list))]),
    ),
  ];
  console.log(lines.join("\n"));
}
