/** The list behind the decisions screen: first page, stream, history; one list per set of filters. */
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "react";
import { queryOf, streamUrl } from "../api/client.ts";
import { reportConnection } from "../api/connection.ts";
import { fetchDecisions, queryClient, sessionQuery } from "../api/queries.ts";
import type { DecisionRow } from "../api/types.ts";
import type { Filters } from "./filters.ts";
import { arrive, continueWith, emptyList, type LiveList, type LiveRow, release, skip, startWith } from "./live-list.ts";

/** Rows are shown in batches: at 500 decisions a second the page draws four times, not 500. */
const drawEveryMs = 250;

type StreamState = "connecting" | "open" | "refused";

export interface LiveDecisions {
  list: LiveList;
  loaded: boolean;
  error: unknown;
  stream: StreamState;
  loadingOlder: boolean;
  loadOlder: () => void;
  showWaiting: () => void;
  reload: () => void;
}

export function useLiveDecisions(filters: Filters, held: boolean): LiveDecisions {
  const [list, change] = useReducer((before: LiveList, step: (list: LiveList) => LiveList) => step(before), emptyList);
  const [progress, setProgress] = useState<{ loaded: boolean; error: unknown; loadingOlder: boolean }>(unloaded);
  const [stream, setStream] = useState<StreamState>("connecting");
  const [round, setRound] = useState(0);
  const heldNow = useRef(held);
  useLayoutEffect(() => {
    heldNow.current = held;
  }, [held]);
  const key = queryOf(filters);

  useEffect(() => {
    const gone = new AbortController();
    // Another filter is another list; the old rows must not show under it.
    change(() => emptyList);
    // oxlint-disable-next-line react/set-state-in-effect -- the stream and its list begin and end together
    setProgress(unloaded);
    setStream("connecting");
    // The stream opens first, so that nothing falls between it and the first page.
    const close = openStream(key, {
      show: (batch) => change((before) => arrive(before, batch, heldNow.current)),
      skipped: () => change(skip),
      became: setStream,
    });
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
  const { nextCursor, resumeMs, overflowed } = list;
  const loadOlder = useCallback(() => {
    if (nextCursor === undefined && resumeMs === undefined) return;
    setProgress((before) => ({ ...before, error: undefined, loadingOlder: true }));
    const filter: Record<string, string> = Object.fromEntries(new URLSearchParams(key));
    if (resumeMs !== undefined) filter["until_ms"] = String(resumeMs + 1);
    fetchDecisions(filter, resumeMs === undefined ? nextCursor : undefined).then(
      (page) => {
        change((before) => continueWith(before, page.decisions, page.next_cursor));
        setProgress({ loaded: true, error: undefined, loadingOlder: false });
      },
      (error: unknown) => setProgress({ loaded: true, error, loadingOlder: false }),
    );
  }, [key, nextCursor, resumeMs]);
  const showWaiting = useCallback(() => (overflowed ? reload() : change(release)), [overflowed, reload]);
  return { list, ...progress, stream, loadOlder, showWaiting, reload };
}

const unloaded = { loaded: false, error: undefined as unknown, loadingOlder: false };

interface StreamListener {
  show: (batch: LiveRow[]) => void;
  skipped: () => void;
  became: (state: StreamState) => void;
}

function openStream(query: string, { show, skipped, became }: StreamListener): () => void {
  const source = new EventSource(streamUrl(`/decisions/stream${query}`));
  let batch: LiveRow[] = [];
  source.addEventListener("open", () => {
    became("open");
    reportConnection("ok");
  });
  // The browser reconnects by itself and sends Last-Event-ID; a refused stream stays closed: the session may be over.
  source.addEventListener("error", () => {
    const refused = source.readyState === EventSource.CLOSED;
    became(refused ? "refused" : "connecting");
    if (refused) void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
    else reportConnection("lost");
  });
  source.addEventListener("gap", skipped);
  source.addEventListener(
    "decision",
    (event: MessageEvent<string>) => void batch.unshift({ row: JSON.parse(event.data) as DecisionRow }),
  );
  const timer = setInterval(() => {
    if (batch.length === 0) return;
    show(batch);
    batch = [];
  }, drawEveryMs);
  return () => {
    clearInterval(timer);
    source.close();
  };
}
