/** Decisions as they settle, filtered by the address. Holds still while the reader scrolls, pauses or chooses a row. */
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState } from "react";
import { FirstTraffic } from "../shell/first-traffic.tsx";
import { Pause, Play, Up } from "../shell/icons.tsx";
import { Empty, Failed, Loading } from "../shell/notice.tsx";
import { ScreenHead } from "../shell/screen-head.tsx";
import { isTyping } from "../shell/shortcuts.tsx";
import { DecisionTable } from "./decision-table.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { type Filters, rememberFilters } from "./filters.ts";
import { hasOlder } from "./live-list.ts";
import { type LiveDecisions, useLiveDecisions } from "./use-live-decisions.ts";
import { useEngaged } from "./use-engaged.ts";

const route = getRouteApi("/decisions");

export function DecisionsScreen() {
  const filters = route.useSearch();
  const navigate = useNavigate();
  useEffect(() => rememberFilters(filters), [filters]);
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [chosen, choose] = useState<string>();
  const engaged = useEngaged();
  const held = paused || scrolled || engaged.now;
  const live = useLiveDecisions(filters, held);
  const search = useRef<HTMLInputElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const change = useCallback(
    (next: Filters) => void navigate({ to: "/decisions", search: next, replace: true }),
    [navigate],
  );
  const open = useCallback((id: string) => void navigate({ to: "/decisions/$id", params: { id } }), [navigate]);
  useScreenKeys(search, () => setPaused((before) => !before));
  const { showWaiting } = live;
  const waiting = live.list.waiting.length;
  const behind = waiting > 0 || live.list.overflowed;
  useEffect(() => {
    if (!held && behind) showWaiting();
  }, [held, behind, showWaiting]);
  const toTop = (): void => {
    scroller.current?.scrollTo({ top: 0 });
    showWaiting();
  };
  return (
    <div className="flex h-full flex-col">
      <ScreenHead
        title="Decisions"
        windowTitle="Decisions"
        aside={<StreamState live={live} paused={paused} held={held} />}
      >
        {live.stream === "refused" && (
          <button type="button" className="control" onClick={live.reload}>
            Load newest
          </button>
        )}
        <button type="button" className="control" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? <Play className="size-3.5" /> : <Pause className="size-3.5" />}
          {paused ? "Resume" : "Pause"}
          <kbd className="key">p</kbd>
        </button>
      </ScreenHead>
      <FilterBar filters={filters} rows={live.list.rows.map(({ row }) => row)} change={change} searchRef={search} />
      <div className="relative min-h-0 flex-1 bg-surface">
        {waiting > 0 && (paused || scrolled) && (
          <button
            type="button"
            className="control control-main absolute top-9 left-1/2 z-20 -translate-x-1/2 rounded-full shadow-[var(--shadow)]"
            onClick={toTop}
          >
            <Up className="size-3.5" />
            {live.list.overflowed ? `${waiting}+` : waiting} new
          </button>
        )}
        {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- it only watches: rows stand still under a pointer */}
        <div
          ref={scroller}
          className="h-full overflow-auto"
          onScroll={(event) => setScrolled(event.currentTarget.scrollTop > 8)}
          onPointerMove={engaged.touch}
          onPointerLeave={engaged.leave}
          onKeyDown={engaged.touch}
        >
          <Rows live={live} filters={filters} chosen={chosen} choose={choose} open={open} />
        </div>
      </div>
    </div>
  );
}

function useScreenKeys(search: React.RefObject<HTMLInputElement | null>, togglePause: () => void): void {
  const toggle = useRef(togglePause);
  useEffect(() => {
    toggle.current = togglePause;
  }, [togglePause]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") toggle.current();
      if (event.key !== "/") return;
      event.preventDefault();
      search.current?.focus();
      search.current?.select();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [search]);
}

interface RowsProps {
  live: LiveDecisions;
  filters: Filters;
  chosen: string | undefined;
  choose: (id: string) => void;
  open: (id: string) => void;
}

function Rows({ live, filters, chosen, choose, open }: RowsProps) {
  const { list, loaded, error, loadingOlder } = live;
  if (!loaded && error !== undefined) return <Failed error={error} retry={live.reload} />;
  if (!loaded && list.rows.length === 0) return <Loading what="decisions" />;
  if (list.rows.length === 0)
    return Object.keys(filters).length > 0 ? <NothingFound /> : <FirstTraffic title="No decisions yet." />;
  return (
    <>
      <DecisionTable rows={list.rows} chosen={chosen} choose={choose} open={open} />
      {error !== undefined && <Failed error={error} retry={live.loadOlder} />}
      <div className="flex items-center justify-center gap-3 border-t border-line p-3 text-xs text-ink-3">
        {!hasOlder(list) ? (
          "This is the oldest decision on record."
        ) : (
          <button type="button" className="control" disabled={loadingOlder} onClick={live.loadOlder}>
            {loadingOlder ? "Loading…" : "Load older decisions"}
          </button>
        )}
      </div>
    </>
  );
}

const NothingFound = () => (
  <Empty title="No decision matches these filters.">
    <p className="text-ink-2">
      Matching decisions appear here as they settle. “Find” takes the beginning of a decision id or a whole subject
      pseudonym; results, codes and principals are matched exactly. Clear a filter above to see more.
    </p>
  </Empty>
);

function StreamState({ live, paused, held }: { live: LiveDecisions; paused: boolean; held: boolean }) {
  const open = live.stream === "open";
  const word =
    live.stream === "refused"
      ? "not live: the stream needs the role operator"
      : !open
        ? "connecting…"
        : paused
          ? "paused"
          : held
            ? "held while you read"
            : "live";
  const look = !open ? "bg-cut" : held ? "bg-warn" : "bg-ok animate-pulse";
  return (
    <output className="flex items-center gap-1.5">
      <span aria-hidden="true" className={`size-2 rounded-full ${look}`} />
      {word}
    </output>
  );
}
