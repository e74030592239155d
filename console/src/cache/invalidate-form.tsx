import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client.ts";
import type { CacheAnswer } from "../api/operations.ts";
import { formatCount } from "../figures/quantity.ts";
import { ReasonForm } from "../overrides/reason-form.tsx";
import { Choose } from "../shell/choose.tsx";

const same = (names: readonly string[]): Record<string, string> => ({
  "": "any",
  ...Object.fromEntries(names.map((name) => [name, name])),
});

export function InvalidateForm({ answer }: { answer: CacheAnswer }) {
  const [useCase, setUseCase] = useState("");
  const [tag, setTag] = useState("");
  const [tenant, setTenant] = useState("");
  const client = useQueryClient();
  const drop = useMutation({
    mutationFn: (reason: string) =>
      call<{ dropped: number }>("/cache/invalidate", {
        method: "POST",
        body: {
          ...(useCase !== "" && { use_case: useCase }),
          ...(tag !== "" && { tag }),
          ...(tenant.trim() !== "" && { tenant: tenant.trim() }),
          reason,
        },
      }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["cache"] }),
  });
  const all = useCase === "" && tag === "" && tenant.trim() === "";
  return (
    <div className="grid max-w-3xl gap-3">
      <div className="grid gap-3 sm:grid-cols-3">
        <Choose
          label="Use case"
          value={useCase}
          choices={same(answer.use_cases.map(({ name }) => name))}
          set={setUseCase}
        />
        <Choose
          label="Tag"
          value={tag}
          choices={same([...new Set(answer.use_cases.flatMap(({ tags }) => tags))])}
          set={setTag}
        />
        <label className="grid content-start gap-1 text-xs">
          <span className="text-ink-2">Tenant</span>
          <input
            className="field text-xs"
            value={tenant}
            placeholder="any"
            spellCheck={false}
            onChange={(event) => setTenant(event.target.value)}
          />
        </label>
      </div>
      <ReasonForm
        label="Reason for dropping them"
        act={all ? "Drop everything" : "Drop what fits"}
        busy={drop.isPending}
        error={drop.error}
        perform={drop.mutate}
      />
      {drop.data !== undefined && (
        <output className="text-xs text-ink-2">
          {drop.data.dropped === 1
            ? "1 answer was dropped."
            : `${formatCount(drop.data.dropped)} answers were dropped.`}
        </output>
      )}
    </div>
  );
}
