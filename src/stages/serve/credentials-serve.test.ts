import { describe, expect, it } from "vitest";
import { aChatAsk, aDecision, aVendor, aVendorModel } from "../../../tests/fixtures/decision.ts";
import { encodeEventStream } from "../../../tests/fixtures/event-stream.ts";
import { vendorDialectOf } from "../../engines/dialects/index.ts";
import type { AttemptMeta } from "../../kernel/decision.ts";
import type { VendorTarget } from "../../kernel/snapshot.ts";
import type { Served } from "../../path/context.ts";
import { MoneyBook, TokenCalibration } from "../reserve/index.ts";
import { Capacity } from "./capacity/index.ts";
import { HealthBook, VendorKeys } from "./health/index.ts";
import type { UpstreamRequest, UpstreamResponse } from "./upstream.ts";
import { serveVendor } from "./vendor.ts";

interface Reply {
  status?: number;
  type?: string;
  body: Uint8Array;
}

/** One decision against one vendor whose replies are given by a function of the request. */
function setUp(
  vendor: Partial<VendorTarget>,
  reply: (request: UpstreamRequest) => Reply | Promise<Reply>,
  stream = false,
) {
  const d = aDecision({ ask: aChatAsk({ stream }), useCase: { retries: 0 } });
  const sent: UpstreamRequest[] = [];
  const recorded: AttemptMeta[] = [];
  const reported: unknown[] = [];
  const upstream = {
    async send(request: UpstreamRequest): Promise<UpstreamResponse> {
      sent.push(request);
      const { status = 200, type = "application/json", body } = await reply(request);
      return {
        status,
        headers: { "content-type": type },
        body: (async function* () {
          yield body;
        })(),
        whole: async () => Buffer.from(body),
        finish() {},
        cancel() {},
      };
    },
    close: async () => {},
  };
  const ports = {
    upstream,
    money: new MoneyBook(d.clock),
    health: new HealthBook(d.clock),
    capacity: new Capacity({ clock: d.clock }),
    calibration: new TokenCalibration(),
    keys: new VendorKeys(d.clock),
    dialects: vendorDialectOf,
    keyRefusal: () => undefined,
    isExcluded: () => false,
    report: (_d: unknown, fault: unknown) => void reported.push(fault),
    record: (_d: unknown, meta: AttemptMeta) => void recorded.push(meta),
  };
  const model = aVendorModel({ model: "anthropic.claude-sonnet-4-5-20250929-v1:0" });
  const serve = () => serveVendor(ports, d, { index: 0, model, vendor: aVendor(vendor), stream });
  return { d, sent, recorded, reported, serve };
}

const bedrock: Partial<VendorTarget> = {
  dialect: "bedrock-converse",
  baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com",
  auth: { type: "aws-sigv4", region: "eu-west-1", service: "bedrock" },
  keys: [{ id: "aws#1", secret: "AKIA1:hush" }],
};
const google: Partial<VendorTarget> = {
  dialect: "gemini",
  auth: { type: "google-service-account" },
  keys: [{ id: "g#1", secret: "hush" }],
};

describe("a call of Bedrock", () => {
  it("is signed, and its binary stream is served", async () => {
    const events: [string, object][] = [
      ["messageStart", { role: "assistant" }],
      ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Nothing." } }],
      ["messageStop", { stopReason: "end_turn" }],
      ["metadata", { usage: { inputTokens: 3, outputTokens: 2 } }],
    ];
    const body = Buffer.concat(events.map(([event, json]) => encodeEventStream(event, json)));
    const { sent, recorded, serve } = setUp(
      bedrock,
      () => ({ type: "application/vnd.amazon.eventstream", body }),
      true,
    );
    const served = (await serve()) as Extract<Served, { type: "stream" }>;
    const said: string[] = [];
    for await (const frame of served.frames) {
      for (const event of frame.events) said.push(event.type === "text" ? event.text : event.type);
    }
    expect(said).toEqual(["start", "Nothing.", "finish", "usage", "end"]);
    expect(sent[0]!.url.href).toBe(
      "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
    );
    expect(sent[0]!.headers).toEqual({
      "x-amz-date": expect.stringMatching(/^\d{8}T\d{6}Z$/),
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIA1\/\d{8}\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
      ),
      "content-type": "application/json",
      accept: "application/vnd.amazon.eventstream",
    });
    expect(recorded).toMatchObject([{ status: "ok", usage: { input: 3, output: 2, estimated: false } }]);
  });
});

describe("a vendor with a query and headers of its own", () => {
  it("gets them with every call", async () => {
    const vendor = {
      baseUrl: "https://r.example/d/{model}",
      query: "api-version=1",
      headers: { "HTTP-Referer": "https://b" },
    };
    const { sent, serve } = setUp(vendor, () => ({ status: 400, body: Buffer.from("{}") }));
    await serve();
    expect(sent[0]!.url.href).toBe(
      "https://r.example/d/anthropic.claude-sonnet-4-5-20250929-v1%3A0/chat/completions?api-version=1",
    );
    expect(sent[0]!.headers).toMatchObject({ "HTTP-Referer": "https://b", authorization: "Bearer vendor-secret" });
  });
});

describe("a key that can't be shown", () => {
  it("fails the attempt at no cost, and says why to the log alone", async () => {
    const { sent, recorded, reported, serve } = setUp(google, () => ({ body: Buffer.from("{}") }));
    expect(await serve()).toBe("next-rung");
    expect(sent).toEqual([]);
    expect(recorded[0]).toMatchObject({ status: "failed", reason: "credentials_failed", cost_nano_usd: 0 });
    expect(recorded[0]?.usage).toMatchObject({ input: 0, output: 0 });
    expect(JSON.stringify(recorded)).not.toContain("hush");
    expect(reported[0]).toMatchObject({ cause: { message: "key g#1: it is no service account's JSON" } });
  });
});
