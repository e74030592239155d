/** The list behind the decisions screen: first page, stream, history; one list per set of filters. */
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { queryOf, streamUrl } from "../api/client.ts";
import { reportConnection } from "../api/connection.ts";
import { fetchDecisions } from "../api/queries.ts";
import type { DecisionRow } from "../api/types.ts";
import type { Filters } from "./filters.ts";
import { arrive, continueWith, emptyList, type LiveList, type LiveRow, release, startWith } from "./live-list.ts";

/** Rows are shown in batches: at 500 decisions a second the page draws four times, not 500. */
const drawEveryMs = 250;

export interface LiveDecisions {
  list: LiveList;
  loaded: boolean;
  error: unknown;
  streaming: boolean;
  loadingOlder: boolean;
  loadOlder: () => void;
  showWaiting: () => void;
  reload: () => void;
}

export function useLiveDecisions(filters: Filters, held: boolean): LiveDecisions {
  const [list, change] = useReducer((before: LiveList, step: (list: LiveList) => LiveList) => step(before), emptyList);
  const [progress, setProgress] = useState<{ loaded: boolean; error: unknown; loadingOlder: boolean }>(unloaded);
  const [streaming, setStreaming] = useState(false);
  const [round, setRound] = useState(0);
  const heldNow = useRef(held);
  heldNow.current = held;
  const key = queryOf(filters);

  useEffect(() => {
    const gone = new AbortController();
    change(() => emptyList);
    setProgress(unloaded);
    // The stream opens first, so that nothing falls between it and the first page.
    const close = openStream(key, (batch) => change((before) => arrive(before, batch, heldNow.current)), setStreaming);
    fetchDecisions(Object.fromEntries(new URLSearchParams(key)), undefined, gone.signal).then(
      (page) => {
        change((before) => startWith(before, page.decisions, page.next_cursor));
        setProgress({ loaded: true, error: undefined, loadingOlder: false });
      },
      (error: unknown) => {
        if (!gone.signal.aborted) setProgress({ loaded: false, error, loadingOlder: false });
      },
    );
    return () => {
      gone.abort();
      close();
    };
  }, [key, round]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const { nextCursor, overflowed } = list;
  const loadOlder = useCallback(() => {
    if (nextCursor === undefined) return;
    setProgress((before) => ({ ...before, error: undefined, loadingOlder: true }));
    fetchDecisions(Object.fromEntries(new URLSearchParams(key)), nextCursor).then(
      (page) => {
        change((before) => continueWith(before, page.decisions, page.next_cursor));
        setProgress({ loaded: true, error: undefined, loadingOlder: false });
      },
      (error: unknown) => setProgress({ loaded: true, error, loadingOlder: false }),
    );
  }, [key, nextCursor]);
  const showWaiting = useCallback(() => (overflowed ? reload() : change(release)), [overflowed, reload]);
  return { list, ...progress, streaming, loadOlder, showWaiting, reload };
}

const unloaded = { loaded: false, error: undefined as unknown, loadingOlder: false };

function openStream(query: string, show: (batch: LiveRow[]) => void, setStreaming: (on: boolean) => void): () => void {
  const source = new EventSource(streamUrl(`/decisions/stream${query}`));
  let batch: LiveRow[] = [];
  source.addEventListener("open", () => {
    setStreaming(true);
    reportConnection("ok");
  });
  // The browser reconnects by itself and sends Last-Event-ID; a refused stream (closed) is the session's matter.
  source.addEventListener("error", () => {
    setStreaming(false);
    if (source.readyState === EventSource.CONNECTING) reportConnection("lost");
  });
  source.addEventListener("decision", (event: MessageEvent<string>) => {
    const row = JSON.parse(event.data) as DecisionRow;
    batch.unshift(event.lastEventId === "" ? { row } : { row, cursor: event.lastEventId });
  });
  const timer = setInterval(() => {
    if (batch.length === 0) return;
    show(batch);
    batch = [];
  }, drawEveryMs);
  return () => {
    clearInterval(timer);
    source.close();
    setStreaming(false);
  };
}
