/** The one-time link in the address: `#token=…` signs in, `#invite=…` sets a password. Read once, then gone from the address. */
import { ApiProblem, call } from "../api/client.ts";
import { adoptSession, queryClient, sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";

export interface Link {
  kind: "token" | "invite";
  value: string;
}

export function readLink(hash: string): Link | undefined {
  const match = /^#(token|invite)=([^&]+)/.exec(hash);
  return match ? { kind: match[1] as Link["kind"], value: decodeURIComponent(match[2]!) } : undefined;
}

let invite: string | undefined;
let signingIn: Promise<string | undefined> | undefined;

export function takeLink(): void {
  // The link pasted into an open console changes only the fragment; a fresh load consumes it like any other.
  addEventListener("hashchange", () => {
    if (readLink(location.hash)) location.reload();
  });
  const link = readLink(location.hash);
  if (link === undefined) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (link.kind === "invite") invite = link.value;
  else signingIn = signInWithToken(link.value);
}

export const pendingInvite = (): string | undefined => invite;
export const forgetInvite = (): void => {
  invite = undefined;
};

/** Settles when a link's sign-in is through; says what went wrong with it, if anything. */
export const linkSignIn = (): Promise<string | undefined> | undefined => signingIn;

async function signInWithToken(token: string): Promise<string | undefined> {
  try {
    const session = await call<Session>("/session/token", { method: "POST", body: { token } });
    queryClient.setQueryData(sessionQuery.queryKey, adoptSession(session));
    return undefined;
  } catch (error) {
    return error instanceof ApiProblem
      ? [error.message, error.fix].filter(Boolean).join(" ")
      : String((error as Error).message);
  }
}
