/** The official clients' own helpers, each over a vendor of each dialect: 3 × 6 cells, every one a Weir over real HTTP. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordOf, until } from "../../faults/vendor-house.ts";
import { answer, answerText } from "./answer-schema.ts";
import { hurried, question, systemPrompt } from "./client.ts";
import { type ClientName, type MatrixHouse, clientNames, startMatrixHouse } from "./matrix-house.ts";
import { type VendorName, calls, vendorCases, vendorNames } from "./vendors.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => matrix.vendor.reset());

const cells = clientNames.flatMap((client) => vendorNames.map((vendor): [ClientName, VendorName] => [client, vendor]));
const parsedCalls = calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) as unknown }));
const text = "Money you can take out at any time. 🏦";

describe.each(cells)("%s over %s", (clientName, vendorName) => {
  const { usage, booked, model, namesModel, sent } = vendorCases[vendorName];
  const client = () => matrix.client(clientName);
  const sentAt = (index: number) => sent(matrix.vendor.received[index]!);
  const told = {
    input: usage.input + (usage.cached ?? 0) + (usage.cacheWrite ?? 0) + (usage.cacheWrite1h ?? 0),
    cached: (booked["cached_input"] as number | undefined) ?? 0,
    output: usage.output,
  };

  it.each(["create", "stream"] as const)("%s: words, usage, finish, and nothing lost", async (way) => {
    matrix.vendor.play({ text, usage, pieces: 5 });
    const heard = await client()[way]({ useCase: vendorName });
    expect(heard).toMatchObject({ text, finish: "stop", usage: told, calls: [], pieces: way === "stream" ? 5 : 0 });
    if (namesModel) expect(heard.model).toBe(model);
    expect(heard.headers.get("x-weir-dropped")).toBeNull();
    expect(heard.headers.get("x-weir-model")).toBe(`m-${vendorName}`);
    expect(sentAt(0)).toMatchObject({ model, system: systemPrompt, text: question, calls: [], results: [] });
    expect(matrix.vendor.received[0]!.stream).toBe(way === "stream");
    const record = await recordOf(matrix.house, heard.headers.get("x-weir-decision-id"));
    expect(record.attempts).toMatchObject([{ status: "ok" }]);
    expect(record.attempts[0]!.usage).toEqual(booked);
    expect(record.settled).toMatchObject([{ state: "answered" }]);
  });

  it.each(["create", "stream"] as const)("%s: parallel tool calls keep ids, names and arguments", async (way) => {
    matrix.vendor.play({ text: "Let me look.", calls, usage });
    const heard = await client()[way]({ useCase: vendorName, tools: true });
    expect(heard).toMatchObject({ text: "Let me look.", finish: "tool_calls", usage: told });
    expect(heard.calls).toEqual(parsedCalls);
    expect(sentAt(0).tools).toEqual(["get_rate", "get_time"]);
  });

  it("stream: letters that the vendor cut in two arrive whole", async () => {
    const letters = "👩‍👩‍👧‍👦é\u0000\u2028😀".repeat(20);
    matrix.vendor.play({ text: letters, usage, pieces: letters.length });
    expect((await client().stream({ useCase: vendorName })).text).toBe(letters);
  });

  it.each(["create", "stream"] as const)("%s: thoughts come before the words, apart from them", async (way) => {
    matrix.vendor.play({ reasoning: "Let me see.", text, usage });
    const heard = await client()[way]({ useCase: vendorName });
    expect(heard).toMatchObject({ thoughts: "Let me see.", text, usage: told });
  });

  it.each([
    ["whole", false],
    ["streamed", true],
  ])("the client's tool runner, %s: results go back to the calls that asked", async (_way, stream) => {
    matrix.vendor.play({ calls, usage }, { text: "1.25 % at noon.", usage });
    const ran: unknown[] = [];
    const said = await client().runTools(vendorName, stream, (name, args) => {
      ran.push([name, args]);
      return name === "get_rate" ? "1.25 %" : "noon";
    });
    expect(said).toBe("1.25 % at noon.");
    expect(ran).toEqual(parsedCalls.map((call) => [call.name, call.arguments]));
    expect(matrix.vendor.received).toHaveLength(2);
    const second = sentAt(1);
    expect(second).toMatchObject({ system: systemPrompt, text: question, tools: ["get_rate", "get_time"] });
    expect(second.calls).toEqual(parsedCalls);
    expect(second.results).toEqual([
      { id: "call_rate", text: "1.25 %" },
      { id: "call_time", text: "noon" },
    ]);
  });

  it.each([
    ["whole", false],
    ["streamed", true],
  ])("structured answers parse, %s, and the schema reaches the vendor", async (_way, stream) => {
    matrix.vendor.play({ text: answerText, usage });
    expect(await client().parse(vendorName, stream)).toEqual(answer);
    expect(sentAt(0).schema).toMatchObject({
      type: "object",
      properties: { city: { type: "string" }, months: { type: "number" } },
      required: ["city", "months"],
    });
  });

  it.each(["create", "stream"] as const)("%s: an answer that was cut says so", async (way) => {
    matrix.vendor.play({ text: "Money you", finish: "length", usage });
    expect(await client()[way]({ useCase: vendorName })).toMatchObject({ text: "Money you", finish: "length" });
  });

  // Responses have a status for filters and a part for refusals in words: one without words is told by the status.
  it.each(["create", "stream"] as const)("%s: an answer that was filtered says so", async (way) => {
    matrix.vendor.play({ text: "Money", finish: "content_filter", usage });
    expect(await client()[way]({ useCase: vendorName })).toMatchObject({ text: "Money", finish: "content_filter" });
  });

  it("an aborted stream aborts the vendor's, and is booked once as an estimate", async () => {
    matrix.vendor.play({ text, ending: "hang", usage });
    const headers = await client().abortStream(vendorName);
    expect(await matrix.vendor.received[0]!.aborted).toBe(true);
    const record = () => recordOf(matrix.house, headers.get("x-weir-decision-id"));
    await until(async () => (await record()).settled.length === 1, "the decision is settled");
    const { attempts, settled } = await record();
    expect(attempts).toMatchObject([{ usage: { estimated: true } }]);
    expect(attempts[0]!.cost_nano_usd).toBeGreaterThan(0);
    expect(settled).toMatchObject([{ delivered: { complete: false }, cost_nano_usd: attempts[0]!.cost_nano_usd }]);
  });

  it("an aborted request aborts the vendor's", async () => {
    matrix.vendor.play({ hang: "before-headers" });
    const failed = await client().abortWhole(vendorName, matrix.vendor.arrival(0));
    expect(client().failure(failed).kind).toBe("APIUserAbortError");
    expect(await matrix.vendor.received[0]!.aborted).toBe(true);
  });

  it.each(["truncate", "reset", "error-event", "malformed-event"] as const)(
    "a stream that ends in %s is never an answer",
    async (ending) => {
      matrix.vendor.play({ text: "Half an answer", usage, ending });
      const error = await client()
        .stream({ useCase: vendorName })
        .catch((fault: unknown) => fault);
      expect(client().failure(error)).toMatchObject({ code: "stream_broken" });
    },
  );

  it("a request that the vendor refuses is the client's own error, and not tried again", async () => {
    matrix.vendor.play({ status: 400 });
    const patient = matrix.client(clientName, { maxRetries: 1, fetch: hurried() });
    const error = await patient.create({ useCase: vendorName }).catch((fault: unknown) => fault);
    expect(patient.failure(error)).toEqual({ status: 400, kind: "BadRequestError", code: "upstream_rejected" });
    expect((error as Error).message).toContain("http_400");
    expect(matrix.vendor.received).toHaveLength(1);
  });

  it("the client retries a vendor's failure that Weir passed on", async () => {
    matrix.vendor.play({ status: 500 }, { text, usage });
    const patient = matrix.client(clientName, { maxRetries: 1, fetch: hurried() });
    expect(await patient.create({ useCase: vendorName })).toMatchObject({ text });
    expect(matrix.vendor.received).toHaveLength(2);
    const impatient = matrix.client(clientName);
    matrix.vendor.play({ status: 503 });
    const error = await impatient.create({ useCase: vendorName }).catch((fault: unknown) => fault);
    expect(impatient.failure(error)).toMatchObject({ kind: "InternalServerError", code: "ladder_exhausted" });
  });

  it("the client retries what Weir turned away with 429", async () => {
    const useCase = `alone-${vendorName}`;
    const gate = Promise.withResolvers<void>();
    matrix.vendor.play({ text: "First.", usage, before: gate.promise }, { text: "Second.", usage });
    const first = client().create({ useCase });
    await matrix.vendor.arrival(0);
    const refused: [number, string | null][] = [];
    const fetch = hurried(async (response) => {
      refused.push([response.status, response.headers.get("retry-after")]);
      gate.resolve();
      await first;
    });
    const second = await matrix.client(clientName, { maxRetries: 1, fetch }).create({ useCase });
    expect((await first).text).toBe("First.");
    expect(second.text).toBe("Second.");
    expect(refused).toEqual([[429, expect.stringMatching(/^[1-9]\d*$/)]]);
  });

  it("the client retries what Weir turned away with 503", async () => {
    matrix.vendor.play({ text, usage });
    const { admin, house } = matrix.house;
    const made = admin.overrides.override({
      use_case: vendorName,
      act: "exclude",
      on: { vendor: vendorName },
      forMs: 60_000,
      reason: "maintenance",
      operator: { id: "op", name: "Op" },
    });
    if (!("commit" in made)) throw new Error(made.message);
    const { id } = made.commit();
    house.overrides.refresh();
    const refused: number[] = [];
    const fetch = hurried((response) => {
      refused.push(response.status);
      const cleared = admin.overrides.clear(id, "over");
      if ("commit" in cleared) cleared.commit();
      house.overrides.refresh();
    });
    const heard = await matrix.client(clientName, { maxRetries: 1, fetch }).create({ useCase: vendorName });
    expect([heard.text, refused]).toEqual([text, [503]]);
    expect(matrix.vendor.received).toHaveLength(1);
  });
});

describe("Anthropic's tool runner, left as it is", () => {
  // It asks the vendor to hold the conversation and sends only what is new; told that it can't be so, it sends it all.
  it.each(vendorNames)("over %s: the whole conversation reaches the vendor", async (vendorName) => {
    const { usage, sent } = vendorCases[vendorName];
    matrix.vendor.play({ calls, usage }, { text: "1.25 % at noon.", usage });
    const said = await matrix.client("anthropic-messages").runTools(vendorName, false, () => "1.25 %", true);
    expect(said).toBe("1.25 % at noon.");
    const last = sent(matrix.vendor.received.at(-1)!);
    expect(last).toMatchObject({ system: systemPrompt, text: question });
    expect(last.calls).toEqual(parsedCalls);
  });
});
