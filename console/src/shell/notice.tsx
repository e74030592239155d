/** Loading, empty and failed: each says what is going on and what to do. */
import { Link } from "@tanstack/react-router";
import { ApiProblem, Unreachable } from "../api/client.ts";
import { Alert } from "./icons.tsx";

export const Loading = ({ what }: { what: string }) => (
  <output className="flex items-center gap-2.5 p-6 text-ink-3">
    <svg viewBox="0 0 40 8" className="h-2 w-10 text-accent" aria-hidden="true">
      {[0, 1, 2, 3].map((i) => (
        <rect
          key={i}
          x={i * 10}
          width="7"
          height="8"
          rx="1"
          fill="currentColor"
          opacity={0.25 + i * 0.2}
          className="animate-pulse"
        />
      ))}
    </svg>
    Loading {what}…
  </output>
);

export const Empty = ({ title, children }: { title: string; children?: React.ReactNode }) => (
  <div className="mx-auto grid max-w-2xl gap-3 px-6 py-12">
    <h2 className="text-base font-semibold">{title}</h2>
    {children}
  </div>
);

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, fix, code } = explain(error);
  return (
    <div role="alert" className="panel m-4 flex max-w-xl gap-3 border-bad p-4">
      <Alert className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="grid justify-items-start gap-1.5">
        <p className="font-semibold">{title}</p>
        {fix !== undefined && <p className="text-ink-2">{fix}</p>}
        {code !== undefined && <p className="mono text-ink-3">{code}</p>}
        {retry !== undefined && (
          <button type="button" className="control mt-1" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

function explain(error: unknown): { title: string; fix?: string; code?: string } {
  if (error instanceof ApiProblem)
    return {
      title: error.message,
      code: `${error.status} ${error.code}`,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
    };
  if (error instanceof Unreachable)
    return { title: error.message, fix: "Check that the server runs (`weir start`) and that this address reaches it." };
  return { title: "The console has a fault.", fix: error instanceof Error ? error.message : String(error) };
}

export const ScreenFault = ({ error }: { error: unknown }) => <Failed error={error} retry={() => location.reload()} />;

export const NotFound = () => (
  <Empty title="There is no such screen.">
    <p className="text-ink-2">
      The address may be mistyped. Go to the{" "}
      <Link to="/" className="text-accent underline">
        overview
      </Link>{" "}
      or the{" "}
      <Link to="/decisions" className="text-accent underline">
        decisions
      </Link>
      .
    </p>
  </Empty>
);
