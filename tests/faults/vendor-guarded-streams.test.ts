/** Output guards on live streams, through the whole house: what leaves, what is booked, what the record says. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { type TimedHouse, ask, leftovers, recordOf, startOnClock, told, until, vendorConfig } from "./vendor-house.ts";
import { VirtualClock } from "../../src/kernel/clock.ts";

const useCases = `
stopped: { kind: chat, check: [cards], ladder: [oa-main], retries: 0 }
cleaned: { kind: chat, check: [personal], ladder: [oa-main], retries: 0 }
crossed: { kind: chat, check: [personal], ladder: [an-main], retries: 0 }
`;
const card = "4111 1111 1111 1111";
let vendor: ScriptedVendor;
let house: TimedHouse;
beforeAll(async () => {
  vendor = await startScriptedVendor();
  house = await startOnClock(new VirtualClock(), vendorConfig(vendor.origin, useCases));
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const put = (useCase: string, more: Partial<Parameters<typeof ask>[2]> = {}) =>
  ask(house.origin, house.key, { useCase, stream: true, ...more });
const nothingLeft = () => until(() => Object.values(leftovers(house)).every((left) => left === 0), "nothing is held");

describe.each(["openai", "anthropic"] as const)("a guarded stream for a client of %s", (dialect) => {
  it.each([
    ["cleaned", 1],
    ["cleaned", 12],
    ["crossed", 30],
  ])("%s in %i pieces is redacted as it goes", async (useCase, pieces) => {
    vendor.play({ text: `Write to ada@example.org about ${card}, she knows.`, pieces });
    const answer = await told(await put(useCase, { dialect }));
    expect(answer).toMatchObject({
      status: 200,
      whole: true,
      text: "Write to [email] about [card], she knows.",
    });
    expect(answer.body).not.toMatch(/ada@|4111/);
    expect(vendor.received[0]).toMatchObject({ stream: true });
  });

  it("ends in an error of its dialect where a guard blocks; the attempt is booked, the record tells", async () => {
    vendor.play({
      text: `You asked for the number of your card. It is ${card}, valid for three years.`,
      pieces: 20,
      gate: (i) => (i < 17 ? undefined : new Promise<void>(() => {})),
    });
    const response = await put("stopped", { dialect });
    const answer = await told(response);
    expect(answer).toMatchObject({ status: 200, whole: false });
    expect(answer.text).toMatch(/^You asked for the number/);
    expect(answer.body).not.toContain("4111");
    expect(answer.body).toContain("output_blocked");
    const record = await recordOf(house, response.headers.get("x-weir-decision-id"));
    expect(record.settled).toMatchObject([
      {
        state: "refused",
        code: "output_blocked",
        delivered: { frames: expect.any(Number), complete: false },
        guards: [
          {
            guard: "cards",
            on: "output",
            verdict: "deny",
            action: "block",
            findings: { card: 1 },
          },
        ],
      },
    ]);
    expect(record.attempts).toMatchObject([{ status: "aborted", usage: { estimated: true } }]);
    expect(JSON.stringify(record)).not.toContain("4111");
    await nothingLeft();
  });

  it("blocks a card in the arguments of a call", async () => {
    vendor.play({
      calls: [{ id: "c", name: "pay", arguments: `{"card":"${card}","when":"now"}` }],
    });
    const tools = [
      dialect === "openai"
        ? { type: "function", function: { name: "pay", parameters: {} } }
        : { name: "pay", input_schema: { type: "object" } },
    ];
    const answer = await told(await put("stopped", { dialect, more: { tools } }));
    expect(answer.body).toContain("output_blocked");
    expect(answer.body).not.toContain("4111");
  });
});
