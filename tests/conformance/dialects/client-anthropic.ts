/** The official `@anthropic-ai/sdk` client's messages, and the tool runner of its beta. */
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { Answer } from "./answer-schema.ts";
import { type Asked, type Heard, type SdkClient, question, systemPrompt, toolSchemas } from "./client.ts";

const asking = { max_tokens: 200, system: systemPrompt, messages: [{ role: "user" as const, content: question }] };

const tools = Object.entries(toolSchemas).map(([name, schema]): Anthropic.Tool => ({
  name,
  description: `Tells ${name}.`,
  input_schema: { ...schema, required: [...schema.required] },
}));

const finishes: Record<string, Heard["finish"]> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
  pause_turn: "pause",
};

function heard(message: Anthropic.Message, headers: Headers, pieces = 0): Heard {
  const { content, usage } = message;
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    thoughts: content.map((block) => (block.type === "thinking" ? block.thinking : "")).join(""),
    calls: content.flatMap((block) =>
      block.type === "tool_use" ? [{ id: block.id, name: block.name, arguments: block.input }] : [],
    ),
    finish: finishes[message.stop_reason ?? ""]!,
    ...(message.stop_sequence !== null && { stopSequence: message.stop_sequence }),
    usage: {
      input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      cached,
      output: usage.output_tokens,
    },
    model: message.model,
    pieces,
    headers,
  };
}

const bodyOf = ({ useCase, tools: withTools, more }: Asked) => ({
  ...asking,
  model: useCase,
  ...(withTools && { tools }),
  ...more,
});
const optionsOf = ({ strict }: Asked) => (strict ? { headers: { "x-weir-strict": "true" } } : {});

export function anthropicClient(client: Anthropic): SdkClient {
  const { messages } = client;
  return {
    name: "anthropic-messages",
    async create(asked) {
      const { data, response } = await messages.create(bodyOf(asked), optionsOf(asked)).withResponse();
      return heard(data, response.headers);
    },
    async stream(asked) {
      const stream = messages.stream(bodyOf(asked), optionsOf(asked));
      let pieces = 0;
      stream.on("text", () => void pieces++);
      const { response } = await stream.withResponse();
      return heard(await stream.finalMessage(), response.headers, pieces);
    },
    async runTools(useCase, stream, run, threads = false) {
      const runnable = Object.entries(toolSchemas).map(([name, schema]) =>
        betaTool({
          name,
          description: `Tells ${name}.`,
          inputSchema: schema,
          run: (args: unknown) => run(name, args),
        }),
      );
      const body = { ...asking, model: useCase, tools: runnable, ...(!threads && { thread: false as const }) };
      const runner = stream
        ? client.beta.messages.toolRunner({ ...body, stream: true })
        : client.beta.messages.toolRunner(body);
      const last = await runner.runUntilDone();
      return last.content.map((block) => (block.type === "text" ? block.text : "")).join("");
    },
    async parse(useCase, streaming) {
      const body = { ...asking, model: useCase, output_config: { format: zodOutputFormat(Answer) } };
      if (!streaming) return (await messages.parse(body)).parsed_output;
      return (await messages.stream(body).finalMessage()).parsed_output;
    },
    async abortStream(useCase) {
      const asked = messages.create({ ...asking, model: useCase, stream: true });
      const { data: stream, response } = await asked.withResponse();
      for await (const event of stream) if (event.type === "content_block_delta") break;
      stream.controller.abort();
      return response.headers;
    },
    async abortWhole(useCase, arrived) {
      const abort = new AbortController();
      const failed = messages.create({ ...asking, model: useCase }, { signal: abort.signal }).then(
        () => undefined,
        (error: unknown) => error,
      );
      await arrived;
      abort.abort();
      return failed;
    },
    failure: (error) => ({
      status: (error as APIError).status,
      code: ((error as APIError).error as { error?: { code?: string } } | undefined)?.error?.code,
      kind: error instanceof APIError ? error.constructor.name : typeof error,
    }),
  };
}
