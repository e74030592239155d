import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { call } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { addPasskey, passkeysWork } from "../session/passkeys.ts";
import { Down, Keyboard, Person, WeirMark } from "./icons.tsx";
import { openShortcuts } from "./shortcuts.tsx";
import { ThemeSwitch } from "./theme-switch.tsx";

const environmentLook: Record<string, string> = {
  prod: "bg-bad-soft text-bad",
  test: "bg-warn-soft text-warn",
  dev: "bg-accent-soft text-accent",
};

export const TopBar = ({ session }: { session: Session }) => (
  <header className="col-span-2 max-sm:col-span-1 flex min-w-0 items-center gap-3 max-sm:gap-2 border-b border-line bg-surface pr-3 pl-3.5">
    <Link to="/" className="flex items-center gap-2.5 rounded" aria-label="Weir: overview">
      <WeirMark className="size-6 text-accent" />
      <span className="ml-1 text-sm font-semibold tracking-tight text-ink">Weir</span>
    </Link>
    <span aria-hidden="true" className="h-4 w-px bg-line-strong" />
    <span
      className={`mono rounded px-1.5 py-px text-xs font-semibold ${environmentLook[session.environment] ?? "bg-raised text-ink"}`}
      title="Environment"
    >
      {session.environment}
    </span>
    <span className="truncate text-xs text-ink-2 max-sm:hidden" title="Install">
      {session.install} <span className="text-ink-3">{session.version}</span>
    </span>
    {session.example && (
      <span className="hidden rounded border border-line-strong px-1.5 text-2xs text-ink-3 md:inline">
        example data, made-up people
      </span>
    )}
    <div className="ml-auto flex items-center gap-2">
      <button
        type="button"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        className="grid size-7 place-items-center rounded text-ink-3 hover:bg-hover hover:text-ink max-sm:hidden"
        onClick={openShortcuts}
      >
        <Keyboard />
      </button>
      <ThemeSwitch />
      <OperatorMenu session={session} />
    </div>
  </header>
);

const menuItem = "cursor-pointer rounded px-2.5 py-1.5 text-xs outline-none data-focused:bg-hover";

function OperatorMenu({ session }: { session: Session }) {
  const client = useQueryClient();
  const signOut = async (): Promise<void> => {
    await call("/session", { method: "DELETE" });
    client.setQueryData(sessionQuery.queryKey, null);
    // What the next operator may see is asked for anew.
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
  };
  const [news, setNews] = useState("");
  const registerPasskey = (): Promise<void> =>
    addPasskey().then(
      () => setNews("Passkey added"),
      (error: unknown) => setNews(`No passkey added: ${(error as Error).message}`),
    );
  return (
    <>
      <output className="max-w-96 truncate text-xs text-ink-2" title={news}>
        {news}
      </output>
      <MenuTrigger>
        <Button className="control pl-2">
          <Person className="size-3.5 text-ink-3" />
          {session.operator.name}
          <Down className="size-3 text-ink-3" />
        </Button>
        <Popover placement="bottom end" offset={6} className="panel min-w-52 p-1 shadow-[var(--shadow)] outline-none">
          <div className="border-b border-line px-2.5 pt-1 pb-2 text-xs">
            <div className="font-semibold">{session.operator.name}</div>
            <div className="text-ink-3">
              {session.operator.roles.length === 0 ? "no roles" : session.operator.roles.join(", ")}
            </div>
          </div>
          <Menu
            className="pt-1 outline-none"
            aria-label="Operator"
            onAction={(action) => void (action === "sign-out" ? signOut() : registerPasskey())}
          >
            {passkeysWork() && (
              <MenuItem id="passkey" className={menuItem}>
                Add a passkey
              </MenuItem>
            )}
            <MenuItem id="sign-out" className={menuItem}>
              Sign out
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
    </>
  );
}
