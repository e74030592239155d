/** Recorded traffic, read in place from ../shared/data/wire beside the repository; skipped, and said so, where it is absent. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { ChatRequest } from "../../../kernel/chat.ts";
import { requestOf } from "../sample-chats.ts";
import { geminiVendor } from "./index.ts";
import { collect, read, wholeOf } from "./sample-wire.ts";
import { proofOf } from "./signature.ts";

const wire = resolve(import.meta.dirname, "../../../../../shared/data/wire");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

const textOf = (path: string): string => readFileSync(join(wire, path), "utf8");
const json = (path: string): Record<string, unknown> => JSON.parse(textOf(path)) as Record<string, unknown>;

const user = (text: string) => ({ role: "user" as const, parts: [{ type: "text" as const, text }] });

interface Oracle {
  /** The neutral form of what the recorded client asked. */
  request: Partial<ChatRequest>;
  model?: string;
  /** Leaves of the recorded body that the neutral form has no word for, or another. */
  differs: string[];
}

const oracles: Record<string, Oracle> = {
  "text.json": {
    request: {
      messages: [
        { role: "system", parts: [{ type: "text", text: "Answer in one sentence." }] },
        user("Who won the 2018 world cup?"),
        { role: "assistant", parts: [{ type: "text", text: "France." }] },
        user("And the runner up?"),
      ],
      temperature: 0.7,
      top_p: 0.95,
      top_k: 40,
      max_tokens: 1024,
      stop: ["END"],
      n: 1,
      seed: 42,
      metadata: { team: "search" },
    },
    differs: ["safetySettings[0].category", "safetySettings[0].threshold", "cachedContent"],
  },
  "image-inline.json": {
    request: {
      messages: [
        {
          role: "user",
          parts: [
            { type: "text", text: "What is in these?" },
            {
              type: "image",
              media_type: "image/png",
              data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
            },
            { type: "file", media_type: "video/mp4", url: "gs://bucket/clip.mp4" },
          ],
        },
      ],
    },
    differs: [
      "contents[0].parts[2].videoMetadata.startOffset",
      "contents[0].parts[2].videoMetadata.endOffset",
      "contents[0].parts[2].videoMetadata.fps",
      "generationConfig.responseModalities[0]",
    ],
  },
  "thinking.json": {
    model: "gemini-3-pro",
    request: {
      messages: [
        user("Prove that sqrt(2) is irrational."),
        {
          role: "assistant",
          parts: [
            { type: "reasoning", text: "The classic argument is by contradiction." },
            proofOf("Ck0BdGhvdWdodC1zaWduYXR1cmUtb25l"),
            { type: "text", text: "Suppose sqrt(2) = a/b in lowest terms." },
            proofOf("Ck0BdGhvdWdodC1zaWduYXR1cmUtdHdv"),
          ],
        },
        user("Continue."),
      ],
      temperature: 1,
      reasoning: { effort: "high", summary: "auto" },
    },
    differs: [],
  },
  "tools.json": {
    request: {
      messages: [
        user("What is the weather in Boston?"),
        {
          role: "assistant",
          parts: [
            {
              type: "tool_call",
              id: "fc_1",
              name: "get_weather",
              arguments: '{"location":"Boston","unit":"celsius"}',
              signature: "CjEBc2lnbmF0dXJlLWZvci10aGUtY2FsbA==",
            },
          ],
        },
        {
          role: "tool",
          parts: [{ type: "tool_result", id: "fc_1", text: '{"temperature":12,"conditions":"rain"}' }],
        },
      ],
      tools: [
        {
          name: "get_weather",
          description: "Get the current weather for a city",
          parameters: {
            type: "object",
            properties: {
              location: { type: "string" },
              unit: { type: "string", enum: ["celsius", "fahrenheit"] },
            },
            required: ["location"],
          },
        },
      ],
      tool_choice: { name: "get_weather" },
    },
    // The schema stands in parametersJsonSchema, which takes all of JSON Schema; Google's own tools are nobody else's.
    differs: [
      "tools[0].functionDeclarations[0].parameters",
      "tools[0].functionDeclarations[0].behavior",
      "tools[1]",
      "tools[2]",
      "tools[3]",
    ],
  },
  "structured-output.json": {
    request: {
      messages: [user("List three planets.")],
      response_format: {
        type: "json_schema",
        name: "planets",
        schema: { type: "array", items: { type: "object", required: ["name", "moons"] } },
      },
    },
    // The same in JSON Schema's words, in responseJsonSchema.
    differs: ["generationConfig.responseSchema"],
  },
};

/** Leaves of `given` that `kept` doesn't hold at the same place; a subtree that is missing whole is one leaf. */
function differing(given: unknown, kept: unknown, path = ""): string[] {
  if (typeof given !== "object" || given === null) return given === kept ? [] : [path];
  const other = (typeof kept === "object" && kept !== null ? kept : {}) as Record<string, unknown>;
  return Object.entries(given).flatMap(([key, value]) => {
    const at = Array.isArray(given) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const whole = other[key] === undefined && /tools\[\d\](?:\.|$)|responseSchema$/.test(at);
    return whole ? [at] : differing(value, other[key], at);
  });
}

describe.skipIf(!present)("recorded requests of Gemini's clients", () => {
  it.each(Object.keys(oracles))("%s is what we send for the same request, but for what is listed", (name) => {
    const { request, model = "gemini-2.5-pro", differs } = oracles[name]!;
    const { body, dropped } = geminiVendor.encodeRequest(requestOf(request), { model, defaultMaxTokens: 1 });
    expect(differing(json(`requests/gemini/${name}`), JSON.parse(JSON.stringify(body)))).toEqual(differs);
    expect(dropped).toEqual([]);
  });
});

describe.skipIf(!present)("recorded answers of Vertex", () => {
  const folder = "response/vertex-gemini";

  it.each([
    ["basic.json", "stop", ["text"], { input: 8, cached_input: 0, output: 6, estimated: false }],
    ["blocked.json", "content_filter", [], { input: 12, cached_input: 0, output: 0, estimated: false }],
    [
      "reasoning.json",
      "stop",
      ["reasoning", "text"],
      { input: 10, cached_input: 0, output: 17, reasoning: 5, estimated: false },
    ],
    ["tool.json", "tool_calls", ["tool_call"], { input: 20, cached_input: 0, output: 8, estimated: false }],
  ])("%s", (name, finish, types, usage) => {
    const response = wholeOf(json(`${folder}/${name}`));
    expect(response).toMatchObject({ model: "gemini-2.5-pro", finish });
    expect(response.parts.map(({ type }) => type)).toEqual(types);
    expect(response.usage).toEqual(usage);
  });

  it("stream_tool.json, however it is cut", () => {
    const body = textOf(`${folder}/stream_tool.json`);
    for (let chunkBytes = 1; chunkBytes < 60; chunkBytes++) {
      expect(collect(read(body, { chunkBytes }))).toEqual({
        model: "gemini-2.5-pro",
        parts: [{ type: "tool_call", id: "fc_native", name: "get_weather", arguments: '{"location":"Tokyo"}' }],
        finish: "tool_calls",
        usage: { input: 15, cached_input: 0, output: 12, estimated: false },
      });
    }
  });
});
