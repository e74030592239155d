import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamRecord } from "./port.ts";
import { encodeSse, openSseDecoder, SseRecordTooLarge } from "./sse.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function decodeAll(chunks: Uint8Array[]): StreamRecord[] {
  const decoder = openSseDecoder();
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
}

const said = (events: StreamRecord[]) =>
  events.filter((e) => e.data !== "").map(({ event, data }) => ({ event, data }));

function cut(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const marks = [0, ...at.map((mark) => mark % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return marks.slice(1).map((mark, i) => bytes.slice(marks[i], mark));
}

describe("openSseDecoder", () => {
  const cases: [name: string, stream: string, events: [event: string, data: string][]][] = [
    [
      "LF",
      "data: a\n\ndata: b\n\n",
      [
        ["", "a"],
        ["", "b"],
      ],
    ],
    [
      "CRLF",
      "event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n",
      [
        ["x", "a"],
        ["", "b"],
      ],
    ],
    [
      "CR",
      "event: x\rdata: a\r\rdata: b\r\r",
      [
        ["x", "a"],
        ["", "b"],
      ],
    ],
    ["mixed line ends", "data: a\r\ndata: b\rdata: c\n\n", [["", "a\nb\nc"]]],
    ["several data lines", "data: a\ndata:\ndata: b\n\n", [["", "a\n\nb"]]],
    [
      "no space, two spaces",
      "data:a\n\ndata:  b\n\n",
      [
        ["", "a"],
        ["", " b"],
      ],
    ],
    ["comments, ids, retries, unknown fields", ": hi\nid: 7\nretry: 10\ndatum: no\ndata: a\n\n", [["", "a"]]],
    ["a byte order mark only at the head", "\uFEFFdata: a\n\n\uFEFFdata: b\n\n", [["", "a"]]],
    ["a byte order mark inside data", "data: \uFEFFa\n\n", [["", "\uFEFFa"]]],
    ["data without a colon", "data\ndata\n\n", [["", "\n"]]],
    [
      "the last record without its blank line",
      "data: a\n\ndata: [DONE]",
      [
        ["", "a"],
        ["", "[DONE]"],
      ],
    ],
    ["text beyond the BMP", "data: 🏦 Überweisung\n\n", [["", "🏦 Überweisung"]]],
    ["an event name alone says nothing", "event: ping\n\n", []],
  ];
  for (const [name, stream, events] of cases) {
    it(`reads ${name}`, () => {
      expect(said(decodeAll([bytesOf(stream)]))).toEqual(events.map(([event, data]) => ({ event, data })));
    });
  }

  it("yields the same events and bytes however the stream is cut", () => {
    const line = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, "")}`),
      fc.constantFrom("event: delta", ": note", "id: 1", "", "", "data", "data:x"),
    );
    const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
    const mixed = fc.array(fc.tuple(line, lineEnd), { maxLength: 20 }).map((lines) => lines.flat().join(""));
    const uniform = fc
      .tuple(fc.array(line, { maxLength: 20 }), lineEnd)
      .map(([lines, end]) => lines.map((one) => one + end).join(""));
    const stream = fc
      .tuple(fc.boolean(), fc.oneof(mixed, uniform))
      .map(([bom, text]) => bytesOf((bom ? "\uFEFF" : "") + text));
    // Where CRLF is the rule, a CR at a chunk's end is given its LF at once; a bare CR then gets one that it never had.
    const isMixed = (bytes: Uint8Array) => /\r\n/.test(String(bytes)) && /\r(?!\n)/.test(String(bytes));
    const lineByLine = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1").replaceAll(/\r\n?/g, "\n");
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 40 }), (bytes, marks) => {
        const whole = decodeAll([bytes]);
        const pieces = decodeAll(cut(bytes, marks));
        expect(said(pieces)).toEqual(said(whole));
        for (const records of [pieces, whole]) {
          const passed = Buffer.concat(records.map((e) => e.raw));
          if (isMixed(Buffer.from(bytes))) expect(lineByLine(passed)).toBe(lineByLine(bytes));
          else expect(passed.equals(bytes)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("hands an event over with its blank line, not with the next event", () => {
    const decoder = openSseDecoder();
    expect(decoder.push(bytesOf("data: a\n"))).toEqual([]);
    expect(decoder.push(bytesOf("\n")).map((e) => e.data)).toEqual(["a"]);
  });

  it("keeps keep-alive comments as bytes to forward", () => {
    const [record] = openSseDecoder().push(bytesOf(": ping\n\n"));
    expect(record).toMatchObject({ event: "", data: "" });
    expect(Buffer.from(record!.raw).toString()).toBe(": ping\n\n");
  });

  it("reads 10,000 events from one chunk and one event of 1 MB from many", () => {
    expect(openSseDecoder().push(bytesOf("data: x\n\n".repeat(10_000)))).toHaveLength(10_000);
    const big = bytesOf(`data: ${"y".repeat(1_000_000)}\n\n`);
    const chunks = Array.from({ length: Math.ceil(big.length / 1000) }, (_, i) => big.slice(i * 1000, (i + 1) * 1000));
    expect(decodeAll(chunks)[0]?.data).toHaveLength(1_000_000);
  });

  it.each([
    ["in one chunk", 1000],
    ["over many chunks", 10],
  ])("refuses a record beyond the limit, %s", (_name, size) => {
    const decoder = openSseDecoder(100);
    const bytes = bytesOf(`data: ${"z".repeat(200)}\n\n`);
    expect(() => {
      for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
    }).toThrow(SseRecordTooLarge);
  });
});

describe("encodeSse", () => {
  it("is read back as it was, line breaks normalised", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (data) => {
        const expected = data.replaceAll(/\r\n|\r/g, "\n");
        const [record] = openSseDecoder().push(bytesOf(encodeSse(data, "e")));
        expect(record).toMatchObject({ event: "e", data: expected });
      }),
    );
  });
});
