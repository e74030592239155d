/** Hard case 19 over real HTTP: prompts of a million tokens, large images, packed and chunked bodies, Expect, and what is too large. */
import { request as httpRequest } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordOf } from "../../faults/vendor-house.ts";
import { type MatrixHouse, startMatrixHouse } from "./matrix-house.ts";
import { type VendorName, vendorCases } from "./vendors.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => matrix.vendor.reset());

interface Told {
  status: number;
  continued: boolean;
  json: Record<string, unknown>;
  headers: Record<string, unknown>;
}

/** One request by hand: its body in pieces, its headers as given. */
function send(pieces: readonly Uint8Array[], headers: Record<string, string> = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    let continued = false;
    const call = httpRequest(
      `${matrix.house.origin}/v1/chat/completions`,
      {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${matrix.key}`, ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode!,
            continued,
            json: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
            headers: response.headers,
          }),
        );
      },
    );
    call.on("error", reject);
    const write = () => {
      for (const piece of pieces) call.write(piece);
      call.end();
    };
    if (headers["expect"] === undefined) return write();
    call.on("continue", () => {
      continued = true;
      write();
    });
    call.flushHeaders();
  });
}

const bodyOf = (content: unknown, useCase: VendorName = "openai-chat"): Buffer =>
  Buffer.from(JSON.stringify({ model: useCase, messages: [{ role: "user", content }] }));

// About a million tokens.
const sentence = "Überweisungen innerhalb des SEPA-Raums dauern höchstens einen Geschäftstag; £ and € are rounded. ";
const longText = sentence.repeat(Math.ceil(4_000_000 / sentence.length));
const image = Buffer.alloc(15 * 2 ** 20, "weir").toString("base64");

describe("case 19: large requests", () => {
  it.each(["openai-chat", "gemini", "bedrock-converse"] as const)(
    "a prompt of a million tokens reaches %s whole",
    async (vendor) => {
      matrix.vendor.play({ text: "Read.", usage: { input: 1_000_000, output: 2 } });
      const answer = await send([bodyOf(longText, vendor)]);
      expect(answer.status).toBe(200);
      expect(vendorCases[vendor].sent(matrix.vendor.received[0]!).text === longText).toBe(true);
      const record = await recordOf(matrix.house, String(answer.headers["x-weir-decision-id"]));
      expect(record.attempts).toMatchObject([{ usage: { input: 1_000_000, estimated: false } }]);
    },
  );

  it.each(["openai-chat", "gemini"] as const)("an image of 20 MB of base64 reaches %s whole", async (vendor) => {
    matrix.vendor.play({ text: "Seen.", usage: { input: 5, output: 1 } });
    const answer = await send([
      bodyOf([{ type: "image_url", image_url: { url: `data:image/png;base64,${image}` } }], vendor),
    ]);
    expect(answer.status).toBe(200);
    expect(matrix.vendor.received[0]!.body.includes(image)).toBe(true);
  });
});

describe("case 19: how a body comes", () => {
  const body = bodyOf("What is a sight deposit? 🏦".repeat(2000));
  it.each([
    ["gzip", gzipSync(body)],
    ["deflate", deflateSync(body)],
    ["br", brotliCompressSync(body)],
    ["zstd", zstdCompressSync(body)],
  ])("packed as %s", async (coding, packed) => {
    expect(packed.length).toBeLessThan(body.length / 10);
    expect((await send([packed], { "content-encoding": coding })).status).toBe(200);
    expect(vendorCases["openai-chat"].sent(matrix.vendor.received[0]!).text).toBe(
      "What is a sight deposit? 🏦".repeat(2000),
    );
  });

  it("in chunks of any length, letters cut in two", async () => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < body.length; at += 997) pieces.push(body.subarray(at, at + 997));
    expect((await send(pieces, { "transfer-encoding": "chunked" })).status).toBe(200);
    expect(matrix.vendor.received[0]!.body.includes("What is a sight deposit? 🏦")).toBe(true);
  });

  it("after Expect: 100-continue", async () => {
    expect(await send([body], { expect: "100-continue" })).toMatchObject({ status: 200, continued: true });
  });
});

describe("case 19: what is too large", () => {
  const limit = 32 * 2 ** 20;
  it("is refused by its declared length before a byte of it is read", async () => {
    const answer = await send([], { "content-length": String(limit * 2) }).catch((fault: unknown) => fault);
    // The server may close what it will not read.
    if (!(answer instanceof Error))
      expect(answer).toMatchObject({ status: 413, json: { error: { code: "body_too_large" } } });
    expect(matrix.vendor.received).toHaveLength(0);
  });

  it("is refused where a small body unpacks to it", async () => {
    const bomb = gzipSync(Buffer.alloc(limit + 1, "x"));
    expect(bomb.length).toBeLessThan(100_000);
    const answer = await send([bomb], { "content-encoding": "gzip" });
    expect(answer).toMatchObject({ status: 413, json: { error: { code: "body_too_large" } } });
    expect(matrix.vendor.received).toHaveLength(0);
  });

  it("is refused where chunks add up to it", async () => {
    const chunk = Buffer.alloc(2 ** 20, "x");
    const answer = await send(
      Array.from({ length: 34 }, () => chunk),
      { "transfer-encoding": "chunked" },
    ).catch((fault: unknown) => fault);
    if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 413 });
    expect(matrix.vendor.received).toHaveLength(0);
  });
});
