/** Asks the router itself about a request that nobody sends. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { askWhatIf, type RouteOfUseCase, type WhatIf } from "../api/operations.ts";
import { formatCount } from "../figures/quantity.ts";
import { Problem } from "../overrides/reason-form.tsx";
import { Choose } from "../shell/choose.tsx";
import { Mark } from "../shell/mark.tsx";
import { Panel } from "../shell/panel.tsx";

const classes = ["public", "internal", "personal", "sensitive"] as const;

export function WhatIfPanel({ route }: { route: RouteOfUseCase }) {
  const least = classes.indexOf(route.data_class);
  const [tenant, setTenant] = useState(route.tenants[0] ?? "");
  const [dataClass, setDataClass] = useState<string>(route.data_class);
  const [tokens, setTokens] = useState("200");
  const [tools, setTools] = useState<"true" | "false">("false");
  const [latency, setLatency] = useState("");
  const chat = route.kind === "chat";
  const ask = useMutation({
    mutationFn: () =>
      askWhatIf(route.name, {
        tenant,
        data_class: dataClass,
        input_tokens: Number(tokens),
        tools: chat ? tools : "false",
        latency,
      }),
    gcTime: 0,
  });
  return (
    <Panel title="What if" aside="asks the router as it stands; calls nobody, counts nowhere">
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate();
        }}
      >
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
          <Choose label="Tenant" value={tenant} choices={same(route.tenants)} set={setTenant} />
          <Choose label="Data class" value={dataClass} choices={same(classes.slice(least))} set={setDataClass} />
          <Choose
            label="Latency"
            value={latency}
            choices={{ "": "not said", interactive: "interactive", relaxed: "relaxed" }}
            set={setLatency}
          />
          {route.kind !== "score" && (
            <label className="grid content-start gap-1 text-xs">
              <span className="text-ink-2">Prompt tokens</span>
              <input
                className="field text-xs"
                type="number"
                min={0}
                max={250_000}
                required
                value={tokens}
                onChange={(event) => setTokens(event.target.value)}
              />
            </label>
          )}
          {chat && <Choose label="Tools" value={tools} choices={{ false: "no", true: "yes" }} set={setTools} />}
          <div className="flex items-end">
            <button type="submit" className="control control-main !h-8" disabled={ask.isPending || tenant === ""}>
              Ask the router
            </button>
          </div>
        </div>
        <Problem error={ask.error} />
      </form>
      {ask.data !== undefined && <Answer answer={ask.data} score={route.kind === "score"} />}
    </Panel>
  );
}

const Answer = ({ answer, score }: { answer: WhatIf; score: boolean }) => (
  <output className="mt-3 grid gap-2 border-t border-line pt-3 text-xs">
    {answer.refusal === undefined ? (
      <p>
        <Mark tone="ok">would be tried in this order:</Mark>{" "}
        <span className="font-medium">
          {answer.order.map(({ rung, target }) => `${target} (rung ${rung + 1})`).join(" → ")}
        </span>
      </p>
    ) : (
      <p>
        <Mark tone="held">{answer.refusal.code}</Mark> <span className="text-ink-2">{answer.refusal.message}</span>
      </p>
    )}
    <p className="text-2xs text-ink-3">
      {!score && `about ${formatCount(answer.input_tokens)} input tokens, the use case's prompt included · `}
      {answer.data_class} data · {answer.regions.length === 0 ? "any region" : answer.regions.join(", ")} · budget{" "}
      {answer.budget_level}
      {score && " · without features: conditions on them count as false"}
    </p>
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col" className="num w-12">
            Rung
          </th>
          <th scope="col">Target</th>
          <th scope="col">Open</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {answer.route.map(({ rung, target, eligible, reason, detail, pool }) => (
          <tr key={`${rung}/${target}`}>
            <td className="num">{rung + 1}</td>
            <td className="mono">{target}</td>
            <td>{eligible ? <Mark tone="ok">yes</Mark> : <Mark tone="held">no</Mark>}</td>
            <td>
              <span className="mono">{reason}</span>
              {detail !== undefined && <span className="block text-2xs text-ink-2">{detail}</span>}
              {pool !== undefined && <span className="block text-2xs text-ink-3">{poolWords(pool)}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </output>
);

export function poolWords({ strategy, place, figures = {} }: NonNullable<WhatIf["route"][number]["pool"]>): string {
  const compared = Object.entries(figures).map(([name, figure]) => `${name.replaceAll("_", " ")} ${figure}`);
  return [`${strategy}${place === undefined ? "" : `, place ${place}`}`, ...compared].join(" · ");
}

const same = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, name]));
