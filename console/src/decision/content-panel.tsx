/** The people's data in a decision. Closed until somebody with the role says why; the ledger keeps who and why. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProblem, call } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { DecisionDetail, FeatureFacts, SettledContent } from "../api/types.ts";
import { mayOpenContent } from "../session/roles.ts";
import { Alert, Lock } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";
import { Content } from "./content.tsx";

const leastReason = 8;

export function ContentPanel({ detail }: { detail: DecisionDetail }) {
  const session = useQuery(sessionQuery).data;
  const opening = useMutation({
    mutationFn: (reason: string) =>
      call<{ content: SettledContent; features?: FeatureFacts }>(`/decisions/${detail.decision_id}/content`, {
        method: "POST",
        body: { reason },
      }),
    gcTime: 0,
  });
  const allowed = session !== undefined && session !== null && mayOpenContent(session.operator.roles);
  const record = detail.settled?.record;
  return (
    <Panel title="Content" aside={<DataClassWords detail={detail} />} flush={opening.data !== undefined}>
      {opening.data !== undefined ? (
        <Content content={opening.data.content} facts={opening.data.features ?? {}} close={opening.reset} />
      ) : !detail.content_available ? (
        <p className="text-xs text-ink-2">
          {record === "digest"
            ? "This use case records digests only: there is no content to open."
            : "There is no content to open: none was recorded, or its key was destroyed. The proof still holds."}
        </p>
      ) : !allowed ? (
        <p className="flex items-center gap-2 text-xs text-ink-2">
          <Lock className="size-4 shrink-0 text-ink-3" />
          Opening content needs the role reviewer, auditor or admin. Ask an admin.
        </p>
      ) : (
        <OpenForm open={opening.mutate} busy={opening.isPending} error={opening.error} />
      )}
    </Panel>
  );
}

const DataClassWords = ({ detail }: { detail: DecisionDetail }) => {
  const known = detail.settled ?? detail.begun;
  return known === undefined ? null : <span>data class: {known.data_class}</span>;
};

function OpenForm({ open, busy, error }: { open: (reason: string) => void; busy: boolean; error: Error | null }) {
  const [reason, setReason] = useState("");
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        open(reason.trim());
      }}
    >
      <p className="flex items-center gap-2 text-xs text-ink-2">
        <Lock className="size-4 shrink-0 text-ink-3" />
        Encrypted in the ledger. Opening it is journaled with your name and reason before anything is shown.
      </p>
      {error !== null && (
        <p role="alert" className="flex items-center gap-2 text-xs">
          <Alert className="size-4 shrink-0 text-bad" />
          {error.message} {error instanceof ApiProblem && error.fix}
        </p>
      )}
      <div className="flex gap-2">
        <input
          className="field h-7 flex-1 text-xs"
          aria-label="Reason for opening the content"
          placeholder="Reason, e.g. the applicant's appeal 2026-118"
          value={reason}
          minLength={leastReason}
          maxLength={500}
          required
          onChange={(event) => setReason(event.target.value)}
        />
        <button type="submit" className="control control-main" disabled={busy || reason.trim().length < leastReason}>
          {busy ? "Opening…" : "Open content"}
        </button>
      </div>
    </form>
  );
}
