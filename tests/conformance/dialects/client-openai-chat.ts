/** The official `openai` client's chat completions. */
import OpenAI, { APIError } from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { type Asked, type Heard, type SdkClient, question, systemPrompt, toolSchemas } from "./client.ts";
import { Answer } from "./answer-schema.ts";

const messages = [
  { role: "system" as const, content: systemPrompt },
  { role: "user" as const, content: question },
];

const tools = Object.entries(toolSchemas).map(([name, parameters]) => ({
  type: "function" as const,
  function: { name, description: `Tells ${name}.`, parameters: { ...parameters } as Record<string, unknown> },
}));

/** What passes through from a vendor of this dialect may have no arguments at all. */
const parse = (text: string): unknown => JSON.parse(text || "{}");

const finishes = {
  stop: "stop",
  length: "length",
  tool_calls: "tool_calls",
  content_filter: "content_filter",
} as const;

function heard(completion: OpenAI.Chat.ChatCompletion, headers: Headers, pieces = 0): Heard {
  const [choice] = completion.choices;
  const { message, finish_reason } = choice!;
  const { usage } = completion;
  return {
    text: message.content || message.refusal || "",
    thoughts: (message as { reasoning_content?: string }).reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map((call) => {
      if (call.type !== "function") throw new TypeError(`a call of type ${call.type}`);
      return { id: call.id, name: call.function.name, arguments: parse(call.function.arguments) };
    }),
    finish: finishes[finish_reason as keyof typeof finishes],
    usage: {
      input: usage!.prompt_tokens,
      cached: usage!.prompt_tokens_details?.cached_tokens ?? 0,
      output: usage!.completion_tokens,
    },
    model: completion.model,
    pieces,
    headers,
  };
}

const bodyOf = ({ useCase, tools: withTools, more }: Asked) => ({
  model: useCase,
  messages,
  ...(withTools && { tools }),
  ...more,
});
const optionsOf = ({ strict }: Asked) => (strict ? { headers: { "x-weir-strict": "true" } } : {});

/** `last` says the headers of the answer that came last: stream helpers keep them to themselves. */
export function openaiChatClient(client: OpenAI, last: () => Headers): SdkClient {
  const { completions } = client.chat;
  return {
    name: "openai-chat",
    async create(asked) {
      const { data, response } = await completions.create(bodyOf(asked), optionsOf(asked)).withResponse();
      return heard(data, response.headers);
    },
    async stream(asked) {
      const body = { ...bodyOf(asked), stream_options: { include_usage: true } };
      const stream = completions.stream(body, optionsOf(asked));
      let pieces = 0;
      let thoughts = "";
      stream.on("content.delta", () => void pieces++);
      // The helper keeps only the last piece of what it doesn't know.
      stream.on("chunk", ({ choices: [choice] }) => {
        thoughts += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
      });
      return { ...heard(await stream.finalChatCompletion(), last(), pieces), thoughts };
    },
    async runTools(useCase, streaming, run) {
      const runnable = tools.map(({ function: { name, description, parameters } }) => ({
        type: "function" as const,
        function: {
          name,
          description,
          parameters,
          parse: JSON.parse as (text: string) => object,
          function: (args: object) => run(name, args),
        },
      }));
      const body = { model: useCase, messages, tools: runnable };
      const runner = streaming ? completions.runTools({ ...body, stream: true }) : completions.runTools(body);
      return (await runner.finalContent()) ?? "";
    },
    async parse(useCase, streaming) {
      const body = { model: useCase, messages, response_format: zodResponseFormat(Answer, "answer") };
      if (!streaming) return (await completions.parse(body)).choices[0]!.message.parsed;
      return (await completions.stream(body).finalChatCompletion()).choices[0]!.message.parsed;
    },
    async abortStream(useCase) {
      const asked = completions.create({ model: useCase, messages, stream: true });
      const { data: stream, response } = await asked.withResponse();
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
      stream.controller.abort();
      return response.headers;
    },
    async abortWhole(useCase, arrived) {
      const abort = new AbortController();
      const failed = completions.create({ model: useCase, messages }, { signal: abort.signal }).then(
        () => undefined,
        (error: unknown) => error,
      );
      await arrived;
      abort.abort();
      return failed;
    },
    failure: (error) => ({
      status: (error as APIError).status,
      code: (error as APIError).code,
      kind: error instanceof APIError ? error.constructor.name : typeof error,
    }),
  };
}
