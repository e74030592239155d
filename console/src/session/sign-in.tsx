import { useState } from "react";
import { ApiProblem, call } from "../api/client.ts";
import { adoptSession, queryClient, sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { Alert, WeirMark } from "../shell/icons.tsx";
import { ThemeSwitch } from "../shell/theme-switch.tsx";
import { forgetInvite, pendingInvite } from "./link.ts";
import { passkeysWork, signInWithPasskey } from "./passkeys.ts";

export function SignIn({ trouble }: { trouble?: string }) {
  const [invite, setInvite] = useState(pendingInvite);
  const leaveInvite = () => {
    forgetInvite();
    setInvite(undefined);
  };
  return (
    <main className="relative grid h-full place-items-center overflow-y-auto p-6">
      <Flow />
      <div className="panel relative w-full max-w-92 p-6 shadow-[var(--shadow)]">
        <div className="mb-5 flex items-center gap-2.5">
          <WeirMark className="size-7 text-accent" />
          <div>
            <div className="text-base leading-5 font-semibold">Weir</div>
            <div className="text-xs text-ink-3">Operator console</div>
          </div>
          <div className="ml-auto">
            <ThemeSwitch />
          </div>
        </div>
        {invite === undefined ? (
          <PasswordForm {...(trouble === undefined ? {} : { trouble })} />
        ) : (
          <InviteForm token={invite} leave={leaveInvite} />
        )}
      </div>
    </main>
  );
}

/** Water over steps: the ladder that every decision goes down. */
const Flow = () => (
  <svg
    aria-hidden="true"
    viewBox="0 0 1440 900"
    preserveAspectRatio="xMidYMid slice"
    className="pointer-events-none absolute inset-0 size-full text-line-strong opacity-60"
  >
    {Array.from({ length: 15 }, (_, i) => (
      <path
        key={i}
        d={`M-20 ${130 + i * 15} H${300 - i * 7} c70 0 60 150 130 150 H${740 - i * 7} c70 0 60 150 130 150 H${1180 - i * 7} c70 0 60 150 130 150 H1480`}
        fill="none"
        stroke="currentColor"
        strokeWidth={i % 5 === 0 ? 1.4 : 0.6}
      />
    ))}
  </svg>
);

interface SignInAttempt {
  trouble: string | undefined;
  busy: boolean;
  run: (send: () => Promise<Session>) => void;
}

function useSignIn(): SignInAttempt {
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const run = (send: () => Promise<Session>): void => {
    setBusy(true);
    setTrouble(undefined);
    send().then(
      (session) => {
        forgetInvite();
        queryClient.setQueryData(sessionQuery.queryKey, adoptSession(session));
      },
      (error: unknown) => {
        setBusy(false);
        setTrouble(
          error instanceof ApiProblem ? [error.message, error.fix].filter(Boolean).join(" ") : (error as Error).message,
        );
      },
    );
  };
  return { trouble, busy, run };
}

/** A form's submission without the browser's own. */
const onSubmit = (run: () => void) => (event: React.FormEvent) => {
  event.preventDefault();
  run();
};

function PasswordForm({ trouble: before }: { trouble?: string }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { trouble, busy, run } = useSignIn();
  const withPassword = () => call<Session>("/session", { method: "POST", body: { name, password } });
  return (
    <form onSubmit={onSubmit(() => run(withPassword))} className="grid gap-3.5">
      <h1 className="text-sm font-semibold">Sign in</h1>
      <Trouble text={trouble ?? before} />
      <Labelled label="Name">
        <input
          className="field"
          value={name}
          onChange={(e) => setName(e.target.value)}
          autoComplete="username"
          autoCapitalize="none"
          required
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the form is all that there is on this screen
          autoFocus
        />
      </Labelled>
      <Labelled label="Password">
        <input
          className="field"
          type="password"
          value={password}
          onChange={(e) => setPassword(e.target.value)}
          autoComplete="current-password"
          required
        />
      </Labelled>
      <button type="submit" className="control control-main h-8 justify-center text-sm" disabled={busy}>
        {busy ? "Signing in…" : "Sign in"}
      </button>
      {passkeysWork() && (
        <button
          type="button"
          className="control h-8 justify-center text-sm"
          disabled={busy || name.trim() === ""}
          onClick={() => run(() => signInWithPasskey(name.trim()))}
        >
          Use a passkey
        </button>
      )}
      <p className="text-xs text-ink-3">
        No account? An admin invites you with <code className="mono text-ink-2">weir operators invite NAME</code>.
        Locked out? <code className="mono text-ink-2">weir operators link NAME</code> prints a one-time link.
      </p>
    </form>
  );
}

const leastLength = 12;

function InviteForm({ token, leave }: { token: string; leave: () => void }) {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const { trouble, busy, run } = useSignIn();
  const accept = () => call<Session>("/invitations/accept", { method: "POST", body: { token, password } });
  const mismatch = again !== "" && again !== password ? "The two passwords differ." : undefined;
  return (
    <form onSubmit={onSubmit(() => run(accept))} className="grid gap-3.5">
      <h1 className="text-sm font-semibold">Accept your invitation</h1>
      <p className="text-xs text-ink-2">Choose a password of at least {leastLength} characters. The link works once.</p>
      <Trouble text={trouble ?? mismatch} />
      <Labelled label="New password">
        <input
          className="field"
          type="password"
          value={password}
          onChange={(e) => setPassword(e.target.value)}
          autoComplete="new-password"
          minLength={leastLength}
          required
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the form is all that there is on this screen
          autoFocus
        />
      </Labelled>
      <Labelled label="Repeat it">
        <input
          className="field"
          type="password"
          value={again}
          onChange={(e) => setAgain(e.target.value)}
          autoComplete="new-password"
          minLength={leastLength}
          required
        />
      </Labelled>
      <button
        type="submit"
        className="control control-main h-8 justify-center text-sm"
        disabled={busy || password.length < leastLength || password !== again}
      >
        {busy ? "Setting password…" : "Set password and sign in"}
      </button>
      <button type="button" className="text-left text-xs text-accent underline underline-offset-2" onClick={leave}>
        I already have an account
      </button>
    </form>
  );
}

const Labelled = ({ label, children }: { label: string; children: React.ReactNode }) => (
  <label className="grid gap-1 text-xs font-medium text-ink-2">
    {label}
    {children}
  </label>
);

const Trouble = ({ text }: { text: string | undefined }) => (
  <div
    role="alert"
    className={text === undefined ? "hidden" : "flex gap-2 rounded bg-bad-soft px-2.5 py-2 text-xs text-ink"}
  >
    <Alert className="mt-0.5 size-3.5 shrink-0 text-bad" />
    {text}
  </div>
);
