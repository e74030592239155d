import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { once } from "node:events";
import { type IncomingMessage, type Server, createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Refusal, isRefusal } from "../../kernel/errors.ts";
import { contextOf, credentialOf, jsonTypeRefusal, parseJson, readBody } from "./request.ts";

const withHeaders = (headers: Record<string, string | string[]>) => ({ headers }) as unknown as IncomingMessage;

describe("credentialOf", () => {
  it.each([
    [{}, undefined],
    [{ authorization: "Bearer wr_x" }, "wr_x"],
    [{ authorization: "bearer   wr_x  " }, "wr_x"],
    [{ "x-api-key": "wr_x" }, "wr_x"],
    [{ authorization: "Bearer wr_a", "x-api-key": "wr_b" }, "wr_a"],
    // A credential of another kind is not silently replaced by the other header's.
    [{ authorization: "Basic dTpw", "x-api-key": "wr_b" }, ""],
    [{ authorization: "Bearer two words" }, ""],
    [{ authorization: "" }, ""],
  ] as [Record<string, string>, string | undefined][])("%j: %j", (headers, credential) =>
    expect(credentialOf(withHeaders(headers))).toBe(credential),
  );
});

describe("contextOf", () => {
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  it("reads Weir's own headers and no others", () => {
    expect(
      contextOf(
        withHeaders({
          "x-weir-subject": "anna",
          "x-weir-purpose": "lending",
          "x-weir-consent": "c-1",
          "x-weir-session": "s",
          "idempotency-key": "k",
          traceparent: trace,
          "x-weir-synthetic": "true",
          "x-weir-strict": "true",
          "x-weir-task": "summary",
          "x-weir-latency": "relaxed",
          "x-weir-batchable": "true",
          "x-weir-restricted": "true",
          "x-weir-tenant": "other",
          "x-weir-model": "large",
        }),
      ),
    ).toEqual({
      subject: "anna",
      purpose: "lending",
      consent: "c-1",
      session: "s",
      idempotencyKey: "k",
      traceparent: trace,
      synthetic: true,
      strict: true,
      task: "summary",
      latency: "relaxed",
      batchable: true,
      restricted: true,
    });
  });

  it.each([
    [{ "x-weir-subject": "" }, {}],
    [{ "x-weir-latency": "soon", "x-weir-strict": "yes", "x-weir-batchable": "1" }, {}],
    [{ "x-weir-synthetic": "1" }, {}],
    [{ "x-weir-synthetic": "false" }, {}],
    [{ "x-weir-subject": ["first", "second"] }, { subject: "first" }],
    [{ traceparent: "00-1" }, {}],
    [{ traceparent: "my-name-is-anna" }, {}],
    [{ "cache-control": "no-cache" }, { cache: "refresh" }],
    [{ "cache-control": "no-cache, no-store" }, { cache: "bypass" }],
    [{ "cache-control": "max-age=0" }, {}],
  ] as [Record<string, string | string[]>, object][])("%j: %j", (headers, context) =>
    expect(contextOf(withHeaders(headers))).toEqual(context),
  );
});

describe("jsonTypeRefusal", () => {
  it.each([
    ["application/json", true],
    ["application/json; charset=utf-8", true],
    ["APPLICATION/JSON", true],
    ["application/vnd.weir+json", true],
    ["application/jsonp", false],
    ["text/json", false],
    ["text/plain", false],
    ["application/x-www-form-urlencoded", false],
    ["text/plain; a=application/json", false],
    ["", false],
  ])("%j: %s", (type, good) => expect(jsonTypeRefusal(withHeaders({ "content-type": type })) === undefined).toBe(good));

  it("nothing said is not JSON: a form from a foreign page says nothing either", () => {
    expect(jsonTypeRefusal(withHeaders({}))).toMatchObject({ code: "unsupported_media_type" });
  });
});

describe("parseJson", () => {
  it.each([["{}"], ["[1,2]"], ['"text"'], ["null"], [' {"a":"ä😀"} ']])("reads %s", (text) =>
    expect(parseJson(Buffer.from(text))).toEqual({ value: JSON.parse(text) as unknown }),
  );

  it.each([
    ["nothing", "", 1, 1],
    ["the end too soon", '{"a":', 1, 6],
    ["the end too soon, some lines down", '{\n  "a": [\n', 3, 1],
    ["a comma too many", '{"a":1,}', 1, 8],
    ["a comma too few, on the third line", '{"name": "Anna",\n "iban": "DE44 5001"\n "age": 40}', 3, 2],
    ["a bare word", '{"a": tru}', 1, 7],
    ["a bare word in a long body", `{"padding": "${"x".repeat(200)}", "a": nope}`, 1, 222],
    ["a word instead of a body", "hello", 1, 1],
    // The engine quotes short bodies in its message: what stands in the body is no position.
    ["a body that speaks of positions", '{"k": position 7777 }', 1, 7],
    ["a control character", '{"a":"b\u0001"}', 1, 8],
  ])("%s: says where it breaks", (_what, text, line, column) => {
    expect(parseJson(Buffer.from(text))).toMatchObject({
      code: "malformed_json",
      message: `The body is not valid JSON at line ${line}, column ${column}.`,
    });
  });

  it("refuses bytes that are no UTF-8: putting other characters in their place would be another question", () => {
    expect(parseJson(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({
      code: "malformed_json",
      message: "The body is not UTF-8.",
    });
  });

  it("finds the place in a body nested as deep as it is long", () => {
    const depth = 100_000;
    expect(parseJson(Buffer.from(`${"[".repeat(depth)}x`))).toMatchObject({
      message: `The body is not valid JSON at line 1, column ${depth + 1}.`,
    });
  });

  it("law: never quotes what was sent, and never names a place outside it", () => {
    const secret = "hunter2";
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...'{}[],:"x'), fc.string(), (before, mark, after) => {
        const text = `${before}${secret}${mark}${after}`;
        const parsed = parseJson(Buffer.from(text));
        if (!isRefusal(parsed)) return;
        expect(parsed.message).not.toContain(secret);
        const [line, column] = /line (\d+), column (\d+)/.exec(parsed.message)!.slice(1).map(Number) as [
          number,
          number,
        ];
        const lines = Buffer.from(text).toString().split("\n");
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
      }),
      { numRuns: 300 },
    );
  });
});

describe("readBody", () => {
  let server: Server;
  let port: number;
  let reads: PromiseWithResolvers<Buffer | Refusal>;
  let limit = 10;
  beforeAll(async () => {
    server = createServer((request, response) => {
      void readBody(request, limit).then((result) => {
        response.shouldKeepAlive = false;
        response.end("ok");
        reads.resolve(result);
      });
    });
    server.on("clientError", (_fault, socket) => socket.destroy());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void (server.closeAllConnections(), server.close()));

  /** Sends raw bytes, part by part, and hangs up at the end where told to. */
  async function sent(head: string, parts: (string | Uint8Array)[] = [], hangUp = false): Promise<string> {
    reads = Promise.withResolvers();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`);
    for (const part of parts) await new Promise((resolve) => socket.write(part, resolve));
    if (hangUp) socket.end();
    const result = await reads.promise;
    socket.destroy();
    return isRefusal(result) ? result.code : result.toString();
  }

  it.each([
    ["nothing", "content-length: 0", [], ""],
    ["no length at all", "x-a: b", [], ""],
    ["a body of exactly the limit", "content-length: 10", ["0123456789"], "0123456789"],
    ["a body in parts", "content-length: 6", ["abc", "def"], "abcdef"],
    ["a chunked body", "transfer-encoding: chunked", ["3\r\nabc\r\n", "2\r\nde\r\n", "0\r\n\r\n"], "abcde"],
    ["an encoding of identity", "content-encoding: identity\r\ncontent-length: 1", ["a"], "a"],
    ["a declared length over the limit, unread", "content-length: 11", [], "body_too_large"],
    [
      "a chunked body over the limit, before its end",
      "transfer-encoding: chunked",
      ["8\r\nabcdefgh\r\n", "8\r\nabcdefgh\r\n"],
      "body_too_large",
    ],
    [
      "a body packed in a way that nobody knows",
      "content-encoding: snappy\r\ncontent-length: 1",
      ["a"],
      "unsupported_media_type",
    ],
    ["a body that is not packed as it says", "content-encoding: gzip\r\ncontent-length: 1", ["a"], "malformed_request"],
  ] as [string, string, string[], string][])("%s", async (_what, head, parts, result) =>
    expect(await sent(head, parts)).toBe(result),
  );

  it.each([
    ["a counted body torn off", "content-length: 10", ["abc"]],
    ["a chunked body torn off", "transfer-encoding: chunked", ["3\r\nabc\r\n"]],
    ["a chunk torn off", "transfer-encoding: chunked", ["8\r\nabc"]],
    ["a chunk that is none", "transfer-encoding: chunked", ["zz\r\nabc\r\n"]],
  ] as [string, string, string[]][])("%s is nobody's body: client_gone", async (_what, head, parts) =>
    expect(await sent(head, parts, true)).toBe("client_gone"),
  );

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const)("unpacks %s, up to the limit and not beyond it (case 19)", async (encoding, pack) => {
    limit = 1000;
    const send = (text: string) => {
      const packed = pack(Buffer.from(text));
      return sent(`content-encoding: ${encoding}\r\ncontent-length: ${packed.length}`, [packed]);
    };
    expect(await send("x".repeat(1000))).toBe("x".repeat(1000));
    // Packed it is a few bytes: what counts is what would come out.
    expect(await send("x".repeat(1_000_000))).toBe("body_too_large");
    limit = 10;
  });

  it("says the limit", async () => {
    await sent("content-length: 11");
    expect(await reads.promise).toMatchObject({ message: "The body is larger than 10 bytes." });
  });
});
