/** Pass-through: client and vendor both speak this dialect, so the client's own bytes go on with the least possible change. */
import { spliceTopLevel } from "../splice.ts";

/** Usage comes unasked. A whole answer refuses stream options, so they become null. */
export function forward(body: Uint8Array, { model, stream }: { model: string; stream: boolean }): Uint8Array {
  const asked = (present: unknown) => (present === undefined && !stream ? undefined : stream);
  const options = (present: unknown) => (present === undefined || stream ? undefined : null);
  return spliceTopLevel(body, { model, stream: asked, stream_options: options });
}
