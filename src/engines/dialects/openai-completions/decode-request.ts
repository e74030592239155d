import type { ChatRequest } from "../../../kernel/chat.ts";
import {
  BodyFault,
  fieldsAt,
  flagAt,
  integerAt,
  listAt,
  nonEmptyTextAt,
  noteUnmodelled,
  numberAt,
  positiveIntegerAt,
  refusalsAsValues,
  textAt,
} from "../body-reader.ts";
import type { DecodedRequest } from "../port.ts";

export const decodeRequest = (body: unknown): DecodedRequest => refusalsAsValues(() => readRequest(body));

function readRequest(body: unknown): ChatRequest {
  const fields = fieldsAt(body, "");
  const request: ChatRequest = {
    model: nonEmptyTextAt(fields["model"], "model"),
    messages: [{ role: "user", parts: [{ type: "text", text: readPrompt(fields["prompt"], "prompt") }] }],
    stream: false,
    wants_usage: false,
    unmodelled: [],
  };
  for (const key in fields) {
    const value = fields[key];
    if (value === null || value === undefined) continue;
    const read = readers.get(key);
    if (read === undefined) request.unmodelled.push(key);
    else read(value, request, key);
  }
  const { best_of: best } = fields;
  if (best !== undefined && best !== null && positiveIntegerAt(best, "best_of") !== (request.n ?? 1)) {
    throw new BodyFault("best_of", "best_of is not supported: no vendor ranks its answers; send n alone.");
  }
  return request;
}

function readPrompt(prompt: unknown, path: string): string {
  if (!Array.isArray(prompt)) return nonEmptyTextAt(prompt, path);
  if (prompt.some((item) => typeof item === "number" || Array.isArray(item))) {
    throw new BodyFault(path, `${path}: token ids are not supported, for every vendor counts its own; send text.`);
  }
  if (prompt.length !== 1) {
    throw new BodyFault(path, `${path} must hold exactly one text, got ${prompt.length}; send one request per prompt.`);
  }
  return nonEmptyTextAt(prompt[0], `${path}[0]`);
}

type Reader = (value: unknown, request: ChatRequest, path: string) => void;

const alreadyRead: Reader = () => {};

const number =
  (field: "temperature" | "top_p" | "presence_penalty" | "frequency_penalty"): Reader =>
  (value, request, path) => {
    request[field] = numberAt(value, path);
  };

const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    model: alreadyRead,
    prompt: alreadyRead,
    best_of: alreadyRead,
    stream: (value, request, path) => {
      request.stream = flagAt(value, path);
    },
    stream_options: (value, request, path) => {
      const options = fieldsAt(value, path);
      const asked = options["include_usage"];
      request.wants_usage = asked !== undefined && asked !== null && flagAt(asked, `${path}.include_usage`);
      noteUnmodelled(options, new Set(["include_usage"]), path, request.unmodelled);
    },
    max_tokens: (value, request, path) => {
      request.max_tokens = positiveIntegerAt(value, path);
    },
    temperature: number("temperature"),
    top_p: number("top_p"),
    presence_penalty: number("presence_penalty"),
    frequency_penalty: number("frequency_penalty"),
    seed: (value, request, path) => {
      request.seed = integerAt(value, path);
    },
    stop: (value, request, path) => {
      request.stop =
        typeof value === "string" ? [value] : listAt(value, path).map((item, i) => textAt(item, `${path}[${i}]`));
    },
    n: (value, request, path) => {
      request.n = positiveIntegerAt(value, path);
    },
    logit_bias: (value, request, path) => {
      const bias: Record<string, number> = {};
      for (const [token, weight] of Object.entries(fieldsAt(value, path)))
        bias[token] = numberAt(weight, `${path}.${token}`);
      request.logit_bias = bias;
    },
    logprobs: (value, request, path) => {
      const asked = integerAt(value, path);
      if (asked < 0) throw new BodyFault(path, `${path} must not be negative, got ${asked}.`);
      request.logprobs = true;
      if (asked > 0) request.top_logprobs = asked;
    },
    user: (value, request, path) => {
      request.user = textAt(value, path);
    },
    echo: (value, _request, path) => {
      if (!flagAt(value, path)) return;
      throw new BodyFault(path, `${path} is not supported: put the prompt before the answer yourself.`);
    },
    suffix: (value, _request, path) => {
      if (textAt(value, path) === "") return;
      throw new BodyFault(path, `${path} is not supported: a chat continues a text and can't fill a gap in one.`);
    },
  }),
);
