/** Fetches the decision's proof bundle and checks it here, in the reader's browser, with the code that `weir verify` runs. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { checkProof, type ProofCheck, type ProofFinding } from "../../../src/ledger/proof-check.ts";
import { ApiProblem, call } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { DecisionDetail } from "../api/types.ts";
import { formatInstant } from "../figures/instant.ts";
import { formatCount } from "../figures/quantity.ts";
import { Alert, Check, Cross, Dash, Download, Shield } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";
import { mayReadProofs } from "../session/roles.ts";

export function ProofPanel({ detail }: { detail: DecisionDetail }) {
  const session = useQuery(sessionQuery).data;
  const [key, setKey] = useState("");
  const keyId = useId();
  const checking = useMutation({
    mutationFn: async (trustedKey: string) => {
      const bundle = await call<unknown>(`/decisions/${detail.decision_id}/proof?content=false`);
      return { bundle, check: await checkProof(bundle, trustedKey === "" ? undefined : trustedKey) };
    },
  });
  if (session === undefined || session === null) return null;
  if (!mayReadProofs(session.operator.roles))
    return (
      <Panel title="Proof">
        <p className="text-xs text-ink-2">
          Proofs need the role operator, approver, reviewer, auditor or admin. Ask an admin.
        </p>
      </Panel>
    );
  return (
    <Panel title="Proof" aside="checked in this browser">
      <form
        className="grid gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          checking.mutate(key.trim());
        }}
      >
        <label htmlFor={keyId} className="text-2xs text-ink-3">
          Verifier key from elsewhere, e.g. your saved copy (optional)
        </label>
        <input
          id={keyId}
          className="field mono h-7 text-xs"
          value={key}
          onChange={(event) => setKey(event.target.value)}
          placeholder="name+hash+base64"
          spellCheck={false}
          autoComplete="off"
        />
        <div className="flex gap-2">
          <button type="submit" className="control control-main" disabled={checking.isPending}>
            <Shield className="size-3.5" />
            {checking.isPending ? "Checking…" : "Verify here"}
          </button>
          {checking.data !== undefined && (
            <button
              type="button"
              className="control"
              onClick={() => save(checking.data.bundle, `${detail.decision_id}.proof.json`)}
            >
              <Download className="size-3.5" />
              Bundle
            </button>
          )}
        </div>
      </form>
      <output className="block mt-2 text-xs empty:hidden">
        {checking.isError && <Trouble error={checking.error} />}
        {checking.data !== undefined && <Verdict check={checking.data.check} />}
      </output>
    </Panel>
  );
}

const Trouble = ({ error }: { error: Error }) => (
  <p className="flex gap-2">
    <Alert className="mt-0.5 size-3.5 shrink-0 text-bad" />
    {error.message} {error instanceof ApiProblem && error.fix}
  </p>
);

function Verdict({ check }: { check: ProofCheck }) {
  const { ok, trusted, checkpoint, proven, findings } = check;
  return (
    <div className={`grid gap-1.5 rounded px-2.5 py-2 ${ok ? "bg-ok-soft" : "bg-bad-soft"}`}>
      <p className={`flex items-center gap-1.5 font-semibold ${ok ? "text-ok" : "text-bad"}`}>
        {ok ? <Check className="size-4" /> : <Cross className="size-4" />}
        {ok ? (trusted ? "The proof holds, signed by your key" : "The proof holds") : "The proof fails"}
      </p>
      {checkpoint !== undefined && (
        <p className="text-ink-2">
          {formatCount(proven)} {proven === 1 ? "entry stands" : "entries stand"} in the log{" "}
          <span className="mono">{checkpoint.origin}</span> of {formatCount(checkpoint.size)} entries, sealed{" "}
          {formatInstant(checkpoint.at_ms)}.
        </p>
      )}
      {findings.length > 0 && (
        <ul className="grid gap-1">
          {findings.map((finding, index) => (
            <Finding key={index} finding={finding} />
          ))}
        </ul>
      )}
    </div>
  );
}

const signs = {
  error: { Icon: Cross, ink: "text-bad" },
  warning: { Icon: Alert, ink: "text-warn" },
  note: { Icon: Dash, ink: "text-ink-3" },
};

function Finding({ finding: { severity, where, message } }: { finding: ProofFinding }) {
  const { Icon, ink } = signs[severity];
  return (
    <li className="flex gap-1.5">
      <Icon className={`mt-0.5 size-3.5 shrink-0 ${ink}`} />
      <span>
        <span className="sr-only">{severity}: </span>
        <span className="text-ink-3">{where}:</span> {message}
      </span>
    </li>
  );
}

function save(bundle: unknown, name: string): void {
  const address = URL.createObjectURL(new Blob([JSON.stringify(bundle, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
