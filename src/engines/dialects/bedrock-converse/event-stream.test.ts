import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventStream, encodeException, encodeMessage } from "../../../../tests/fixtures/event-stream.ts";
import type { StreamRecord } from "../port.ts";
import { openEventStreamDecoder } from "./event-stream.ts";

const told = (records: StreamRecord[]) => records.map(({ event, data }) => [event, data]);

function readIn(bytes: Uint8Array, cuts: readonly number[]): StreamRecord[] {
  const decoder = openEventStreamDecoder();
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const records = edges.slice(1).flatMap((end, at) => decoder.push(bytes.subarray(edges[at], end)));
  return [...records, ...decoder.end()];
}

describe("binary event streams", () => {
  const message = fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.jsonValue({ maxDepth: 2 }));

  it("say the same and keep every byte, however they are cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 40 }), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(([event, json]) => encodeEventStream(event, json)));
        const records = readIn(bytes, cuts);
        expect(told(records)).toEqual(messages.map(([event, json]) => [event, JSON.stringify(json)]));
        expect(Buffer.concat(records.map(({ raw }) => raw))).toEqual(bytes);
      }),
    );
  });

  it("say the same byte by byte", () => {
    const bytes = Buffer.concat([encodeEventStream("a", { x: "é" }), encodeEventStream("b", {})]);
    expect(told(readIn(bytes, [...bytes.keys()]))).toEqual([
      ["a", '{"x":"é"}'],
      ["b", "{}"],
    ]);
  });

  it("may hold headers of every type", () => {
    const headers = {
      yes: true,
      no: false,
      number: 7,
      bytes: new Uint8Array(300),
      ":event-type": "metadata",
      ":message-type": "event",
    };
    const whole = encodeMessage(headers, "{}");
    expect(told(openEventStreamDecoder().push(whole))).toEqual([["metadata", "{}"]]);
    const fixed: [number, number][] = [
      [2, 1],
      [3, 2],
      [5, 8],
      [8, 8],
      [9, 16],
    ];
    for (const [type, length] of fixed) {
      const odd = withRawHeader(Buffer.from([1, 120, type, ...new Uint8Array(length)]));
      expect(openEventStreamDecoder().push(odd)).toMatchObject([{ event: "", data: "{}" }]);
    }
  });

  it("name an exception by its type, and an error by its headers", () => {
    const error = { ":message-type": "error", ":error-code": "InternalError", ":error-message": "It broke." };
    const bytes = Buffer.concat([
      encodeException("throttlingException", { message: "Slow." }),
      encodeMessage(error, ""),
    ]);
    expect(told(openEventStreamDecoder().push(bytes))).toEqual([
      ["throttlingException", '{"message":"Slow."}'],
      ["error", '{"code":"InternalError","message":"It broke."}'],
    ]);
  });

  it("are broken by any flipped bit, after the whole messages before it", () => {
    const first = encodeEventStream("first", { a: 1 });
    const second = encodeEventStream("second", { b: 2 });
    const third = encodeEventStream("third", { c: 3 });
    fc.assert(
      fc.property(fc.nat(second.length - 1), fc.nat(7), fc.boolean(), (at, bit, atOnce) => {
        const bytes = Buffer.concat([first, second, third]);
        bytes[first.length + at]! ^= 1 << bit;
        const decoder = openEventStreamDecoder();
        const records: StreamRecord[] = [];
        expect(() => {
          if (atOnce) records.push(...decoder.push(bytes));
          else for (const byte of bytes) records.push(...decoder.push(Uint8Array.of(byte)));
          records.push(...decoder.end());
        }).toThrow(/broken/);
        expect(told(records)).toEqual([["first", '{"a":1}']]);
      }),
    );
  });

  it("are refused where a message is too large, by a RangeError", () => {
    const bytes = encodeEventStream("x", { text: "y".repeat(2000) });
    expect(() => openEventStreamDecoder(1000).push(bytes.subarray(0, 12))).toThrow(RangeError);
  });

  it("that end within a message say nothing of it", () => {
    const bytes = encodeEventStream("a", {});
    for (let length = 0; length < bytes.length; length++) {
      const decoder = openEventStreamDecoder();
      expect([...decoder.push(bytes.subarray(0, length)), ...decoder.end()]).toEqual([]);
    }
  });

  it("never make the decoder fail but by saying that they are broken", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 6 }), (chunks) => {
        const decoder = openEventStreamDecoder();
        try {
          for (const chunk of chunks) decoder.push(chunk);
        } catch (fault) {
          expect((fault as Error).name).toMatch(/^(EventStreamBroken|RangeError)$/);
        }
      }),
    );
  });

  it.each([
    ["a header beyond its end", Buffer.from([9, 120])],
    ["a header of an unknown type", Buffer.from([1, 120, 12])],
    ["a header cut within its length", Buffer.from([1, 120, 7, 0])],
  ])("are broken by %s", (_, header) => {
    expect(() => openEventStreamDecoder().push(withRawHeader(header))).toThrow(/broken/);
  });
});

/** A message whose checksums are right and whose one header is anything. */
function withRawHeader(header: Buffer): Buffer {
  const message = encodeMessage({}, Buffer.concat([header, Buffer.from("{}")]));
  message.writeUInt32BE(header.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.writeUInt32BE(crc32(message.subarray(0, -4)), message.length - 4);
  return message;
}

const wire = resolve(import.meta.dirname, "../../../../../shared/data/wire/response");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

describe.skipIf(!present)("recorded event streams", () => {
  it.each(["bedrock/basic.bin", "bedrock/tool.bin", "bedrock/reasoning.bin", "detect/bedrock-invoke.bin"])(
    "%s is read whole",
    (name) => {
      const bytes = readFileSync(resolve(wire, name));
      const records = openEventStreamDecoder().push(bytes);
      expect(Buffer.concat(records.map(({ raw }) => raw))).toEqual(bytes);
      for (const { event, data } of records) expect([event !== "", typeof JSON.parse(data)]).toEqual([true, "object"]);
    },
  );

  it("detect/bedrock-broken.bin is reported", () => {
    const bytes = readFileSync(resolve(wire, "detect/bedrock-broken.bin"));
    expect(() => openEventStreamDecoder().push(bytes)).toThrow(/checksum is wrong/);
  });
});
