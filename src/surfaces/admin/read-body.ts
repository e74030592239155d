/** Reads and checks what a client sent. */
import type { z } from "zod";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { AdminContext } from "./route.ts";

const maxBodyBytes = 64 * 1024;

export async function readJson(http: AdminContext): Promise<{ json: unknown } | Refusal> {
  const type = http.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return refuse("unsupported_media_type");
  const bytes = await readBytes(http.req.raw.body);
  if (!(bytes instanceof Uint8Array)) return bytes;
  try {
    return { json: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch {
    return refuse("malformed_json", "The body is not JSON in UTF-8.");
  }
}

/** Stops reading at the limit, whatever content-length promised. */
async function readBytes(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array | Refusal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes) return refuse("body_too_large", `The limit is ${maxBodyBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Says which field is wrong and why, never what it held. */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): { value: z.output<Schema> } | Refusal {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const issue = parsed.error.issues[0]!;
  const keys = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 3) : [];
  const param = [...issue.path, ...keys].join(".").slice(0, 200);
  return refuse("invalid_request", param ? `${param}: ${issue.message.slice(0, 200)}` : issue.message.slice(0, 200), {
    ...(param && { param }),
  });
}
