/** A journaled act: nothing happens without a reason. */
import { useState } from "react";
import { ApiProblem } from "../api/client.ts";
import { Alert } from "../shell/icons.tsx";

const leastReason = 3;

interface ReasonFormProps {
  label: string;
  act: string;
  busy: boolean;
  error: Error | null;
  perform: (reason: string) => void;
  cancel?: () => void;
}

export function ReasonForm({ label, act, busy, error, perform, cancel }: ReasonFormProps) {
  const [reason, setReason] = useState("");
  return (
    <form
      className="grid gap-1.5"
      onSubmit={(event) => {
        event.preventDefault();
        perform(reason.trim());
      }}
    >
      <div className="flex flex-wrap justify-end gap-2">
        <input
          className="field !h-7 min-w-40 flex-1 text-xs"
          aria-label={label}
          placeholder={`${label}; it is recorded`}
          value={reason}
          required
          minLength={leastReason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
        />
        <button type="submit" className="control control-main" disabled={busy || reason.trim().length < leastReason}>
          {act}
        </button>
        {cancel !== undefined && (
          <button type="button" className="control" onClick={cancel}>
            Keep it
          </button>
        )}
      </div>
      <Problem error={error} />
    </form>
  );
}

export const Problem = ({ error }: { error: Error | null }) =>
  error === null ? null : (
    <p role="alert" className="flex items-center gap-2 text-left text-xs">
      <Alert className="size-4 shrink-0 text-bad" />
      <span>
        {error.message} {error instanceof ApiProblem && error.fix}
      </span>
    </p>
  );
