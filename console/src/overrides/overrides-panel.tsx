/** What operators decided over the ladder's head: who, what, until when; made and cleared here by those who may. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client.ts";
import { type Override, overridesQuery } from "../api/operations.ts";
import { sessionQuery } from "../api/queries.ts";
import { formatInstant } from "../figures/instant.ts";
import { mayOperate } from "../session/roles.ts";
import { Mark } from "../shell/mark.tsx";
import { Failed } from "../shell/notice.tsx";
import { Panel } from "../shell/panel.tsx";
import { Nothing } from "../shell/screen.tsx";
import { OverrideDialog } from "./override-dialog.tsx";
import { ReasonForm } from "./reason-form.tsx";

export function OverridesPanel({ useCase }: { useCase?: string }) {
  const query = useQuery(overridesQuery);
  const session = useQuery(sessionQuery).data;
  const [making, setMaking] = useState(false);
  const allowed = session !== undefined && session !== null && mayOperate(session.operator.roles);
  const shown = query.data?.overrides.filter(
    ({ use_case }) => useCase === undefined || use_case === undefined || use_case === useCase,
  );
  return (
    <Panel
      title="Overrides"
      flush
      aside={
        allowed ? (
          <button type="button" className="control !h-6" onClick={() => setMaking(true)}>
            New override
          </button>
        ) : (
          "made by admins"
        )
      }
    >
      {shown === undefined ? (
        query.isError ? (
          <Failed error={query.error} retry={() => void query.refetch()} />
        ) : (
          <Nothing>Loading the overrides…</Nothing>
        )
      ) : shown.length === 0 ? (
        <Nothing>None is in force: ladders decide as declared.</Nothing>
      ) : (
        <Table overrides={shown} allowed={allowed} />
      )}
      {making && <OverrideDialog useCase={useCase} close={() => setMaking(false)} />}
    </Panel>
  );
}

const Table = ({ overrides, allowed }: { overrides: Override[]; allowed: boolean }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Act</th>
        <th scope="col">On</th>
        <th scope="col">Use case</th>
        <th scope="col">Until</th>
        <th scope="col">By, because</th>
        <th scope="col">
          <span className="sr-only">Clear</span>
        </th>
      </tr>
    </thead>
    <tbody>
      {overrides.map((override) => (
        <OverrideLine key={override.id} override={override} allowed={allowed} />
      ))}
    </tbody>
  </table>
);

function OverrideLine({ override, allowed }: { override: Override; allowed: boolean }) {
  const [clearing, setClearing] = useState(false);
  const client = useQueryClient();
  const clear = useMutation({
    mutationFn: (reason: string) => call(`/overrides/${override.id}/clear`, { method: "POST", body: { reason } }),
    onSuccess: () => void client.invalidateQueries(),
  });
  return (
    <tr>
      <td>{override.act === "force" ? <Mark tone="ok">force</Mark> : <Mark tone="held">exclude</Mark>}</td>
      <td className="mono whitespace-nowrap">{wordsOf(override.on)}</td>
      <td>{override.use_case ?? "every one"}</td>
      <td className="whitespace-nowrap">{formatInstant(override.until_ms).replace(/\.\d+/, "")}</td>
      <td className="min-w-40">
        <span className="font-medium">{override.operator.name}</span>
        <span className="block text-2xs text-ink-2">{override.reason}</span>
      </td>
      <td className="text-right">
        {clearing ? (
          <ReasonForm
            label="Reason for clearing it"
            act="Clear"
            busy={clear.isPending}
            error={clear.error}
            perform={clear.mutate}
            cancel={() => setClearing(false)}
          />
        ) : (
          allowed && (
            <button type="button" className="control !h-6" onClick={() => setClearing(true)}>
              Clear
            </button>
          )
        )}
      </td>
    </tr>
  );
}

const wordsOf = (on: Override["on"]): string => {
  if ("model" in on) return `model ${on.model}`;
  return "vendor" in on ? `vendor ${on.vendor}` : `rung ${on.rung}`;
};
