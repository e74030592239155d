/** What never becomes a proper request is still one counted refusal each, in a shape that every client can read. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestHouse, startHouse } from "../fixtures/house.ts";
import { metric, turns, until } from "./vendor-house.ts";

const chat = "/v1/chat/completions";

describe("what is no proper request", () => {
  let own: TestHouse;
  beforeAll(async () => {
    own = await startHouse();
  });
  afterAll(() => own.stop());

  /** Sends the text as it stands and returns what came back until the connection closed. */
  const talk = (text: string, thenCut = false): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(own.origin).port), "127.0.0.1");
      let answer = "";
      socket.on("data", (data) => (answer += data.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => resolve(answer));
      socket.write(text, () => thenCut && socket.resetAndDestroy());
    });
  const head = (more: string) =>
    `POST ${chat} HTTP/1.1\r\nhost: weir\r\nauthorization: Bearer ${own.mintKey()}\r\ncontent-type: application/json\r\n${more}\r\n`;
  const books = () => ({
    refusals: metric(own, "weir_refusals_total"),
    decisions: metric(own, "weir_decisions_total"),
  });
  /** Once the refusal was counted, and whatever else the end of the connection brings. */
  const counted = async (before: number) => {
    await until(() => books().refusals > before, "it was counted");
    await turns(200);
    return books();
  };

  it("a torn chunked body is one counted refusal, not two", async () => {
    const before = books();
    const answer = await talk(`${head("transfer-encoding: chunked\r\n")}5\r\nhello\r\nZZ\r\n`);
    expect(answer).toContain("400");
    expect(await counted(before.refusals)).toEqual({ refusals: before.refusals + 1, decisions: before.decisions });
  });

  it("a client that cuts its own body is one counted refusal", async () => {
    const before = books();
    await talk(`${head("content-length: 100\r\n")}{"model`, true);
    expect(await counted(before.refusals)).toEqual({ refusals: before.refusals + 1, decisions: before.decisions });
  });

  it.each([
    ["garbage", "HELLO\r\n\r\n", "400"],
    ["absurd headers", `GET /v1/models HTTP/1.1\r\nhost: weir\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, "431"],
  ])("%s is answered with a decision id and a problem document", async (_what, text, status) => {
    const answer = await talk(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("application/problem+json");
    expect(answer.toLowerCase()).toContain("x-weir-decision-id: dec_");
  });

  it.each([
    ["garbage", "HELLO\r\n\r\n"],
    ["absurd headers", `GET /v1/models HTTP/1.1\r\nhost: weir\r\nx: ${"y".repeat(20_000)}\r\n\r\n`],
  ])("%s is one counted refusal", async (_what, text) => {
    const before = books();
    await talk(text);
    expect(await counted(before.refusals)).toEqual({ refusals: before.refusals + 1, decisions: before.decisions });
  });

  it("a declared body of 64 MB is refused before it is read", async () => {
    const before = books();
    const answer = await talk(`${head("content-length: 67108864\r\n")}{`);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('"code":"body_too_large"');
    expect(books()).toEqual({ refusals: before.refusals + 1, decisions: before.decisions });
  });
});
