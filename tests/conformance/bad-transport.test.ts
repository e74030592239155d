/** Bytes that no client library sends: torn, absurd and oversized requests, and paths that try to leave the console. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ErrorCode, errorKinds } from "../../src/kernel/errors.ts";
import type { TestHouse } from "../fixtures/house.ts";
import { type Keys, applicant, decisionId, marker, startBadHouse } from "./bad-house.ts";
import { decisions, chat, infer } from "./mistakes.ts";
import { type RawAnswer, open, sendRaw } from "./raw-http.ts";

let folder: string;
let house: TestHouse;
let keys: Keys;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-bad-"));
  mkdirSync(join(folder, "console"));
  writeFileSync(join(folder, "console", "index.html"), "<title>console</title>");
  writeFileSync(join(folder, "secret.txt"), "a secret beside the console");
  ({ house, keys } = await startBadHouse(join(folder, "console")));
});
afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true });
});

function expectProblem(answer: RawAnswer, code: ErrorCode): void {
  expect(answer.status).toBe(errorKinds[code].status);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(JSON.parse(answer.body)).toMatchObject({ code, status: answer.status, fix: errorKinds[code].fix });
  expect(answer.body).not.toContain(marker);
  expect(answer.headers["x-weir-decision-id"]).toMatch(decisionId);
}

describe("requests that no client library sends", () => {
  const head = (more: string, path = decisions) =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keys.good}\r\ncontent-type: application/json\r\nx-weir-subject: ${marker}\r\nx-weir-consent: loan-application-2026\r\n${more}\r\n`;

  it.each([
    ["no HTTP at all", () => `${marker}\r\n\r\n`],
    ["a header without a colon", () => `GET /v1/models HTTP/1.1\r\nhost: x\r\n${marker}\r\n\r\n`],
    ["a header with a control character", () => `GET /v1/models HTTP/1.1\r\nhost: x\r\na: \u0001${marker}\r\n\r\n`],
    ["length and chunks at once", () => head("content-length: 2\r\ntransfer-encoding: chunked\r\n") + "{}"],
    ["two lengths", () => head("content-length: 2\r\ncontent-length: 3\r\n") + "{}"],
    ["a length that is no number", () => head("content-length: -1\r\n") + "{}"],
    ["a chunk whose size is no number", () => `${head("transfer-encoding: chunked\r\n")}zz\r\n{}\r\n0\r\n\r\n`],
    ["a version that does not exist", () => `GET /v1/models HTTP/9.9\r\nhost: x\r\n\r\n`],
    ["no host", () => "GET /v1/models HTTP/1.1\r\n\r\n"],
  ])("malformed_request: %s", async (_, text) => {
    expectProblem(await sendRaw(house.origin, text()), "malformed_request");
  });

  it.each([
    ["one of 20 KB", () => `x-long: ${marker.repeat(1000)}\r\n`],
    ["a thousand of them", () => Array.from({ length: 1500 }, (_, i) => `x-${i}: ${marker}\r\n`).join("")],
  ])("headers_too_large: %s", async (_, more) => {
    expectProblem(await sendRaw(house.origin, head(more())), "headers_too_large");
  });

  it.each([
    ["a decision", decisions, 1],
    ["an outcome", "/v1/outcomes", 4],
    ["an inference", infer, 4],
    ["a chat", chat, 32],
  ])("body_too_large: %s of 64 MB is refused before it was sent", async (_, path, megabytes) => {
    const exchange = open(house.origin);
    exchange.send(head("content-length: 67108864\r\n", path) + marker);
    const { status, headers, body } = await exchange.answer;
    expect(status).toBe(413);
    expect(headers["x-weir-decision-id"]).toMatch(decisionId);
    expect(headers["connection"]).toBe("close");
    expect(body).toContain(String(megabytes * 1024 * 1024));
    expect(body).not.toContain(marker);
    await exchange.closed;
  });

  it("body_too_large: a body without a length is cut off at the limit, not read on", async () => {
    const exchange = open(house.origin);
    exchange.send(head("transfer-encoding: chunked\r\n"));
    const chunk = `40000\r\n${"x".repeat(0x40000)}\r\n`;
    // A quarter more than a decision may have, and then silence: only a server that counts can answer now.
    for (let sent = 0; sent < 5; sent++) exchange.send(chunk);
    expectProblem(await exchange.answer, "body_too_large");
    await exchange.closed;
  });

  it("goes on serving others", async () => {
    const headers = {
      authorization: `Bearer ${keys.good}`,
      "x-weir-subject": marker,
      "x-weir-consent": "loan-application-2026",
    };
    expect((await house.post(decisions, applicant, headers)).status).toBe(200);
    expect(house.logged.join("")).not.toContain(marker);
  });
});

describe("the console's folder", () => {
  it.each([
    "/console/../secret.txt",
    "/console/%2e%2e/secret.txt",
    "/console/..%2fsecret.txt",
    "/console/..\\secret.txt",
    "/console/....//secret.txt",
    "/console//../../secret.txt",
    "/console/index.html/../../secret.txt",
    "/console/%00secret.txt",
    "//console/../secret.txt",
    "/../secret.txt",
  ])("is not left by %s", async (path) => {
    const { status, body } = await sendRaw(
      house.origin,
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    expect(status).toBe(404);
    expect(body).not.toContain("secret beside");
  });

  it("is read only", async () => {
    const response = await fetch(`${house.origin}/console/`, { method: "PUT", body: marker });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});
