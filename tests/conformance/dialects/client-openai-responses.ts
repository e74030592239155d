/** The official `openai` client's responses. */
import OpenAI, { APIError } from "openai";
import { ResponsesToolRunner } from "openai/helpers/responses-tool-runner";
import { zodTextFormat } from "openai/helpers/zod";
import { Answer } from "./answer-schema.ts";
import { type Asked, type Heard, type SdkClient, question, systemPrompt, toolSchemas } from "./client.ts";

type Answered = Pick<
  OpenAI.Responses.Response,
  "output" | "output_text" | "status" | "incomplete_details" | "usage" | "model"
>;

const tools: OpenAI.Responses.FunctionTool[] = Object.entries(toolSchemas).map(([name, parameters]) => ({
  type: "function",
  name,
  description: `Tells ${name}.`,
  parameters: { ...parameters } as Record<string, unknown>,
  strict: null,
}));

const asking = { instructions: systemPrompt, input: question };

function finishOf({ status, incomplete_details: details, output }: Answered): Heard["finish"] {
  if (status === "incomplete") return details?.reason === "content_filter" ? "content_filter" : "length";
  return output.some(({ type }) => type === "function_call") ? "tool_calls" : "stop";
}

function textIn(output: OpenAI.Responses.ResponseOutputItem[]): string {
  return output
    .flatMap((item) => (item.type === "message" ? item.content : []))
    .map((content) => (content.type === "output_text" ? content.text : content.refusal))
    .join("");
}

function heard(response: Answered, headers: Headers, pieces = 0): Heard {
  const { output, usage } = response;
  return {
    text: textIn(output),
    thoughts: output
      .flatMap((item) => (item.type === "reasoning" ? [...item.summary, ...(item.content ?? [])] : []))
      .map(({ text }) => text)
      .join(""),
    calls: output.flatMap((item) =>
      item.type === "function_call"
        ? [{ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) as unknown }]
        : [],
    ),
    finish: finishOf(response),
    usage: {
      input: usage!.input_tokens,
      cached: usage!.input_tokens_details.cached_tokens,
      output: usage!.output_tokens,
    },
    model: response.model,
    pieces,
    headers,
  };
}

const bodyOf = ({ useCase, tools: withTools, more }: Asked) => ({
  model: useCase,
  ...asking,
  ...(withTools && { tools }),
  ...more,
});
const optionsOf = ({ strict }: Asked) => (strict ? { headers: { "x-weir-strict": "true" } } : {});

/** `last` says the headers of the answer that came last: stream helpers keep them to themselves. */
export function openaiResponsesClient(client: OpenAI, last: () => Headers): SdkClient {
  const { responses } = client;
  return {
    name: "openai-responses",
    async create(asked) {
      const { data, response } = await responses.create(bodyOf(asked), optionsOf(asked)).withResponse();
      return heard(data, response.headers);
    },
    async stream(asked) {
      const stream = responses.stream(bodyOf(asked), optionsOf(asked));
      let pieces = 0;
      stream.on("response.output_text.delta", () => void pieces++);
      return heard(await stream.finalResponse(), last(), pieces);
    },
    async runTools(useCase, stream, run) {
      const functions = tools.map((tool) => ({
        tool,
        execute: (args: Record<string, unknown>) => run(tool.name, args),
      }));
      const runner = new ResponsesToolRunner({ functions });
      return textIn((await runner.run(client, { model: useCase, ...asking }, { stream })).output);
    },
    async parse(useCase, streaming) {
      const body = { model: useCase, ...asking, text: { format: zodTextFormat(Answer, "answer") } };
      if (!streaming) return (await responses.parse(body)).output_parsed;
      return (await responses.stream(body).finalResponse()).output_parsed;
    },
    async abortStream(useCase) {
      const asked = responses.create({ model: useCase, ...asking, stream: true });
      const { data: stream, response } = await asked.withResponse();
      for await (const event of stream) if (event.type === "response.output_text.delta") break;
      stream.controller.abort();
      return response.headers;
    },
    async abortWhole(useCase, arrived) {
      const abort = new AbortController();
      const failed = responses.create({ model: useCase, ...asking }, { signal: abort.signal }).then(
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
