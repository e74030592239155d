import type { ChatEvent } from "../../kernel/chat.ts";
import { heldStream } from "../../kernel/stream.ts";
import type { Decision, Frame } from "../../path/context.ts";
import { StreamGuard, type StreamGuardPorts } from "./stream-guard.ts";

/**
 * Frames as the guards let them go. Verdicts are on the decision before its last frame leaves; a stop lets go of the
 * source first, so that its attempt is booked. `observes`: the guards only record, and frames pass as they are.
 */
export function guardedFrames(
  ports: StreamGuardPorts,
  d: Decision,
  frames: AsyncIterable<Frame>,
  observes: boolean,
): AsyncIterable<Frame> {
  const guard = new StreamGuard(ports, d.useCase.check);
  const source = frames[Symbol.asyncIterator]();
  let isTold = false;
  const tell = () => {
    if (isTold) return;
    isTold = true;
    d.guards.push(...guard.verdicts());
    if (guard.droppedLogprobs && !observes) d.dropped.add("logprobs");
  };
  const letGo = async () => {
    try {
      await source.return?.();
    } finally {
      tell();
    }
  };
  async function* pass(): AsyncGenerator<Frame> {
    try {
      for (let next = await source.next(); !next.done; next = await source.next()) {
        const frame = next.value;
        const safe = safeEvents(guard, frame);
        if (guard.stopped) {
          await letGo();
          const { code, message } = guard.stopped;
          // A frame that is only observed has not left yet: it stays here whole.
          if (safe.length > 0 && !observes) yield { events: safe };
          yield { events: [{ type: "error", message, code }] };
          return;
        }
        if (frame.events.some((event) => event.type === "end" || event.type === "error")) tell();
        if (observes) yield frame;
        else if (safe.length > 0) yield { events: safe };
      }
    } finally {
      await letGo();
    }
  }
  return heldStream(pass, letGo);
}

function safeEvents(guard: StreamGuard, frame: Frame): ChatEvent[] {
  const [only] = frame.events;
  if (frame.events.length === 1) return guard.add(only!);
  const safe: ChatEvent[] = [];
  for (const event of frame.events) {
    for (const passed of guard.add(event)) safe.push(passed);
    if (guard.stopped) break;
  }
  return safe;
}
