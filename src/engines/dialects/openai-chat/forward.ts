/** Pass-through: client and vendor both speak this dialect, so the client's own bytes go on with the least possible change. */
import { isFields } from "../body-reader.ts";
import { spliceTopLevel } from "../splice.ts";

/** A stream reports usage at OpenAI only if asked to; a whole answer refuses stream options, so they become null. */
export function forward(body: Uint8Array, { model, stream }: { model: string; stream: boolean }): Uint8Array {
  const asked = (present: unknown) => (present === undefined && !stream ? undefined : stream);
  const options = stream ? withUsage : (present: unknown) => (present === undefined ? undefined : null);
  return spliceTopLevel(body, { model, stream: asked, stream_options: options });
}

const withUsage = (present: unknown): unknown => ({ ...(isFields(present) ? present : {}), include_usage: true });
