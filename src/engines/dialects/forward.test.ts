import { describe, expect, it } from "vitest";
import { vendorDialectOf } from "./index.ts";

type DialectName = "openai-chat" | "anthropic-messages";

const forwardBody = (body: Uint8Array, dialect: DialectName, changes: { model: string; stream: boolean }) =>
  vendorDialectOf(dialect).forward!(body, changes);
const isUsageOnly = (dialect: DialectName, data: string) => vendorDialectOf(dialect).isUsageOnly?.(data) ?? false;

const forward = (text: string, dialect: "openai-chat" | "anthropic-messages", stream: boolean): string =>
  Buffer.from(forwardBody(Buffer.from(text), dialect, { model: "v", stream })).toString();

describe("forwardBody", () => {
  it.each([
    ["openai-chat", true, `{"model":"v","x":1.0,"stream":true,"stream_options":{"include_usage":true}}`],
    ["openai-chat", false, `{"model":"v","x":1.0}`],
    ["anthropic-messages", true, `{"model":"v","x":1.0,"stream":true}`],
    ["anthropic-messages", false, `{"model":"v","x":1.0}`],
  ] as const)("changes what %s needs, streaming %s", (dialect, stream, expected) => {
    expect(forward(`{"model":"use-case","x":1.0}`, dialect, stream)).toBe(expected);
  });

  it("keeps the client's other stream options, and takes null for none", () => {
    const kept = forward(
      `{"model":"a","stream_options":{"include_usage":false,"include_obfuscation":false}}`,
      "openai-chat",
      true,
    );
    expect(JSON.parse(kept)).toEqual({
      model: "v",
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
    expect(forward(`{"model":"a","stream_options":null}`, "openai-chat", true)).toContain(
      `"stream_options":{"include_usage":true}`,
    );
  });
});

describe("forwardBody of a stream that is answered whole", () => {
  it("asks for a whole answer and leaves no stream options", () => {
    const body = `{"model":"a","stream":true,"stream_options":{"include_usage":true}}`;
    expect(forward(body, "openai-chat", false)).toBe(`{"model":"v","stream":false,"stream_options":null}`);
    expect(forward(`{"model":"a","stream":true}`, "anthropic-messages", false)).toBe(`{"model":"v","stream":false}`);
  });
});

describe("isUsageOnly", () => {
  it("knows OpenAI's frame, and none of Anthropic's", () => {
    const frame = `{"choices":[],"usage":{"prompt_tokens":1}}`;
    expect([isUsageOnly("openai-chat", frame), isUsageOnly("anthropic-messages", frame)]).toEqual([true, false]);
  });
});
