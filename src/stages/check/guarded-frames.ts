import type { ChatEvent } from "../../kernel/chat.ts";
import { PulledStream } from "../../kernel/stream.ts";
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
  return new GuardedStream(new StreamGuard(ports, d.useCase.check), d, frames[Symbol.asyncIterator](), observes);
}

class GuardedStream extends PulledStream<Frame> {
  readonly #guard: StreamGuard;
  readonly #d: Decision;
  readonly #source: AsyncIterator<Frame>;
  readonly #observes: boolean;
  #told = false;
  /** Follows the frame that was cut short. */
  #last: Frame | undefined;

  constructor(guard: StreamGuard, d: Decision, source: AsyncIterator<Frame>, observes: boolean) {
    super();
    this.#guard = guard;
    this.#d = d;
    this.#source = source;
    this.#observes = observes;
  }

  protected async pull(): Promise<Frame | undefined> {
    if (this.#last) return this.#say(this.#last);
    try {
      for (let next = await this.#source.next(); !next.done; next = await this.#source.next()) {
        const left = this.#pass(next.value);
        if (this.#guard.stopped) return await this.#stop(this.#guard.stopped, left);
        if (left) return left;
      }
    } catch (fault) {
      this.over = true;
      await this.leave();
      throw fault;
    }
    this.over = true;
    await this.leave();
    return undefined;
  }

  /** What of a frame may leave now, if anything. */
  #pass(frame: Frame): Frame | undefined {
    const safe = safeEvents(this.#guard, frame);
    // A frame that is only observed has not left yet when its reading stops it: it stays here whole.
    if (this.#guard.stopped) return safe.length > 0 && !this.#observes ? { events: safe } : undefined;
    if (frame.events.some((event) => event.type === "end" || event.type === "error")) this.#tell();
    if (this.#observes) return frame;
    return safe.length > 0 ? { events: safe } : undefined;
  }

  async #stop({ code, message }: Stop, left: Frame | undefined): Promise<Frame> {
    await this.leave();
    this.#last = { events: [{ type: "error", message, code }] };
    return left ?? this.#say(this.#last);
  }

  #say(last: Frame): Frame {
    this.over = true;
    return last;
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#d.guards.push(...this.#guard.verdicts());
    if (this.#guard.droppedLogprobs && !this.#observes) this.#d.dropped.add("logprobs");
  }

  protected async leave(): Promise<void> {
    try {
      await this.#source.return?.();
    } finally {
      this.#tell();
    }
  }
}

type Stop = NonNullable<StreamGuard["stopped"]>;

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
