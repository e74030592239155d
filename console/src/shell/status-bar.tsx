/** Appears when the server stops answering, asks again until it does, and then has every screen reload what it shows. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { readConnection, watchConnection } from "../api/connection.ts";
import { sessionQuery } from "../api/queries.ts";
import { formatClock, zoneOf } from "../figures/instant.ts";
import { Broken } from "./icons.tsx";

const againMs = 3_000;

export function StatusBar() {
  const connection = useSyncExternalStore(watchConnection, readConnection);
  const client = useQueryClient();
  const lost = connection.state === "lost";
  useEffect(() => {
    if (!lost) return;
    const timer = setInterval(() => void client.refetchQueries({ queryKey: sessionQuery.queryKey }), againMs);
    return () => {
      clearInterval(timer);
      void client.invalidateQueries();
    };
  }, [lost, client]);
  return (
    <output
      className={
        lost
          ? "col-start-2 max-sm:col-start-1 flex items-center gap-2 border-t border-bad bg-bad-soft px-4 py-1.5 text-xs"
          : "sr-only"
      }
    >
      {lost && (
        <>
          <Broken className="size-4 text-bad" />
          <span className="font-semibold">Connection lost</span>
          <span className="text-ink-2">
            since {formatClock(connection.sinceMs)} {zoneOf(connection.sinceMs)}. What you see may be out of date;
            trying again every {againMs / 1000} s.
          </span>
        </>
      )}
    </output>
  );
}
