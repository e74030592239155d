import { Outlet } from "@tanstack/react-router";
import type { Session } from "../api/types.ts";
import { Rail } from "./rail.tsx";
import { Shortcuts } from "./shortcuts.tsx";
import { StatusBar } from "./status-bar.tsx";
import { TopBar } from "./top-bar.tsx";

export const Shell = ({ session }: { session: Session }) => (
  <div className="grid h-full grid-cols-[4rem_minmax(0,1fr)] grid-rows-[2.75rem_minmax(0,1fr)_auto] max-sm:grid-cols-[minmax(0,1fr)] max-sm:grid-rows-[2.75rem_minmax(0,1fr)_auto_auto]">
    <a
      href="#screen"
      className="control control-main sr-only z-50 focus:not-sr-only focus:absolute focus:top-1.5 focus:left-1.5"
    >
      Skip to the screen
    </a>
    <TopBar session={session} />
    <Rail />
    <main id="screen" tabIndex={-1} className="relative min-h-0 min-w-0 overflow-hidden outline-none">
      <Outlet />
    </main>
    <StatusBar />
    <Shortcuts />
  </div>
);
