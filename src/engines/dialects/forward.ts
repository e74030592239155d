/** Pass-through: client and vendor speak the same dialect, so the client's own bytes go on with the least possible change. */
import { isFields } from "./body-reader.ts";
import { isUsageFrame } from "./openai-chat/index.ts";
import type { DialectName } from "./port.ts";
import { spliceTopLevel } from "./splice.ts";

/** A stream reports usage at OpenAI only if asked to; a whole answer refuses stream options, so they become null. */
export function forwardBody(
  body: Uint8Array,
  dialect: DialectName,
  { model, stream }: { model: string; stream: boolean },
): Uint8Array {
  const asked = (present: unknown) => (present === undefined && !stream ? undefined : stream);
  if (dialect !== "openai-chat") return spliceTopLevel(body, { model, stream: asked });
  const options = stream ? withUsage : (present: unknown) => (present === undefined ? undefined : null);
  return spliceTopLevel(body, { model, stream: asked, stream_options: options });
}

const withUsage = (present: unknown): unknown => ({ ...(isFields(present) ? present : {}), include_usage: true });

/** Whether a stream record carries usage and nothing else: withheld from a client that didn't ask for it. */
export const isUsageOnly = (dialect: DialectName, data: string): boolean =>
  dialect === "openai-chat" && isUsageFrame(data);
