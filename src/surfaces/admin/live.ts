/**
 * The live view as server-sent events. Rows are read from the index only when the client has taken the ones before, so
 * nothing piles up here; a client that falls too far behind gets a `gap` event and goes on at the newest.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { DecisionFilter, DecisionIndex } from "../../projection/index.ts";

export interface LiveOptions {
  index: DecisionIndex;
  clock: Clock;
  filter: DecisionFilter;
  cursor: string | undefined;
  /** Asked with every heartbeat: false ends the stream. */
  stillAllowed(): Promise<boolean>;
  onEnd(): void;
  stopping: AbortSignal | undefined;
}

const heartbeatMs = 15_000;
const rowsAtOnce = 100;

export function liveDecisions(options: LiveOptions): ReadableStream<Uint8Array> {
  const live = new Live(options);
  return new ReadableStream(
    {
      async pull(controller) {
        const text = await live.next();
        if (text !== undefined) return controller.enqueue(new TextEncoder().encode(text));
        live.end();
        controller.close();
      },
      cancel: () => live.end(),
    },
    // Nothing is read ahead of the client.
    { highWaterMark: 0 },
  );
}

class Live {
  readonly #options: LiveOptions;
  #cursor: string | undefined;
  #begun = false;
  #ended = false;
  #arrived = false;
  #wake: () => void = () => {};
  readonly #stopListening: () => void;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
    this.#stopListening = options.index.onArrival(() => {
      this.#arrived = true;
      this.#wake();
    });
    options.stopping?.addEventListener("abort", this.end, { once: true });
  }

  /** The next events; `undefined` at the end. Waits for rows, or for the heartbeat. */
  async next(): Promise<string | undefined> {
    const { index, filter, stillAllowed } = this.#options;
    for (;;) {
      if (this.#ended) return undefined;
      this.#arrived = false;
      const found = await index.since(this.#cursor, filter, rowsAtOnce);
      if (this.#ended) return undefined;
      this.#cursor = found.next;
      const opening = this.#begun ? "" : `retry: 2000\nid: ${found.next}\n\n`;
      this.#begun = true;
      if (found.gap !== undefined) return `${opening}event: gap\nid: ${found.next}\ndata: {"skipped":${found.gap}}\n\n`;
      if (found.rows.length > 0 || opening)
        return opening + found.rows.map(({ row, cursor }) => eventOf(cursor, JSON.stringify(row))).join("");
      if (this.#arrived || (await this.#waited())) continue;
      if (this.#ended || !(await stillAllowed())) return undefined;
      // An id without data moves the client's last event id and fires nothing.
      return `: still here\nid: ${this.#cursor}\n\n`;
    }
  }

  /** True when rows arrived, false when the heartbeat is due or the stream ended. */
  #waited(): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(heartbeatMs, () => resolve(false));
      this.#wake = () => {
        cancel();
        resolve(!this.#ended);
      };
    });
  }

  /** A pending `next` answers the end. */
  readonly end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopListening();
    this.#options.stopping?.removeEventListener("abort", this.end);
    this.#wake();
    this.#options.onEnd();
  };
}

const eventOf = (cursor: string, data: string): string => `event: decision\nid: ${cursor}\ndata: ${data}\n\n`;
