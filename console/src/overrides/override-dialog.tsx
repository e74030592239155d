/** Makes an override: prefers or leaves out a model, a vendor or a rung for a while. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { call } from "../api/client.ts";
import { routeQuery, type Targets, targetsQuery } from "../api/operations.ts";
import { declaredUseCasesQuery } from "../api/queries.ts";
import { Choose } from "../shell/choose.tsx";
import { Problem } from "./reason-form.tsx";

const durations: Record<string, string> = {
  "15": "15 minutes",
  "60": "1 hour",
  "240": "4 hours",
  "1440": "1 day",
  "10080": "7 days",
};

export function OverrideDialog({ useCase, close }: { useCase: string | undefined; close: () => void }) {
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => !open && close()}
      className="fixed inset-0 z-40 grid place-items-center overflow-y-auto bg-[oklch(0.1_0.01_240/0.5)] p-4"
    >
      <Modal className="panel w-full max-w-md shadow-[var(--shadow)]">
        <Dialog className="grid gap-3 p-4 outline-none">
          <Heading slot="title" className="text-sm font-semibold">
            New override
          </Heading>
          <p className="text-xs text-ink-2">
            It chooses among what is open anyway: what policy, capability or health has closed stays closed. Journaled
            with your name before it holds.
          </p>
          <Form useCase={useCase} close={close} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

type Kind = "model" | "vendor" | "rung";

function Form({ useCase: given, close }: { useCase: string | undefined; close: () => void }) {
  const client = useQueryClient();
  const targets = useQuery(targetsQuery).data;
  const useCases = useQuery(declaredUseCasesQuery).data?.use_cases ?? [];
  const [act, setAct] = useState<"force" | "exclude">("exclude");
  const [kind, setKind] = useState<Kind>("model");
  const [useCase, setUseCase] = useState(given ?? "");
  const [minutes, setMinutes] = useState("60");
  const [reason, setReason] = useState("");
  const [picked, setPicked] = useState("");
  const ladder = useQuery({ ...routeQuery(useCase), enabled: useCase !== "" }).data?.ladder;
  const rungs = ladder?.map(({ rung }) => String(rung + 1)) ?? ["1", "2", "3", "4", "5", "6", "7", "8"];
  const choices = kind === "rung" ? rungs : namesOf(kind, targets);
  const value = choices.includes(picked) ? picked : (choices[0] ?? "");
  const make = useMutation({
    mutationFn: () =>
      call("/overrides", {
        method: "POST",
        body: {
          act,
          on: kind === "rung" ? { rung: Number(value) } : { [kind]: value },
          ...(useCase !== "" && { use_case: useCase }),
          for_minutes: Number(minutes),
          reason: reason.trim(),
        },
      }),
    onSuccess: () => {
      void client.invalidateQueries();
      close();
    },
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <div className="grid grid-cols-2 gap-3">
        <Choose label="Act" value={act} choices={{ exclude: "Leave out", force: "Prefer" }} set={setAct} />
        <Choose label="What" value={kind} choices={{ model: "Model", vendor: "Vendor", rung: "Rung" }} set={setKind} />
        <Choose label="Which" value={value} choices={same(choices)} set={setPicked} />
        <Choose
          label="Use case"
          value={useCase}
          choices={{ "": "every one", ...same(useCases.map(({ name }) => name)) }}
          set={setUseCase}
        />
        <Choose label="For" value={minutes} choices={durations} set={setMinutes} />
      </div>
      <label className="grid gap-1 text-xs">
        <span className="text-ink-2">Reason</span>
        <input
          className="field text-xs"
          value={reason}
          required
          minLength={3}
          maxLength={500}
          placeholder="e.g. answers are cut short since noon"
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <Problem error={make.error} />
      <div className="flex justify-end gap-2">
        <button type="button" className="control" onClick={close}>
          Cancel
        </button>
        <button
          type="submit"
          className="control control-main"
          disabled={make.isPending || value === "" || reason.trim().length < 3}
        >
          Make override
        </button>
      </div>
    </form>
  );
}

const same = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, name]));

function namesOf(kind: "model" | "vendor", targets: Targets | undefined): string[] {
  if (targets === undefined) return [];
  if (kind === "vendor") return targets.vendors.map(({ name }) => name);
  return [...targets.targets.flatMap(({ models }) => models), ...targets.in_process.map(({ model }) => model)];
}
