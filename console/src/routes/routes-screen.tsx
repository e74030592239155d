/** The route explorer: a use case's ladder, where its decisions went, what a request would find open, and one decision's path. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { routeQuery } from "../api/operations.ts";
import { declaredUseCasesQuery } from "../api/queries.ts";
import { OverridesPanel } from "../overrides/overrides-panel.tsx";
import { Empty, Failed, Loading } from "../shell/notice.tsx";
import { AnswerScreen } from "../shell/screen.tsx";
import { Switch } from "../shell/switch.tsx";
import { ExplainPanel } from "./explain-panel.tsx";
import { LadderPanel } from "./ladder-panel.tsx";
import { ReasonsPanel } from "./reasons-panel.tsx";
import { WhatIfPanel } from "./what-if-panel.tsx";

const route = getRouteApi("/routes");

export function RoutesScreen() {
  const { use_case } = route.useSearch();
  const declared = useQuery(declaredUseCasesQuery);
  const names = declared.data?.use_cases.map(({ name }) => name);
  if (names === undefined)
    return declared.isError ? (
      <Failed error={declared.error} retry={() => void declared.refetch()} />
    ) : (
      <Loading what="the use cases" />
    );
  const chosen = use_case ?? names[0];
  if (chosen === undefined)
    return (
      <Empty title="No use case is declared.">
        <p className="text-ink-2">Declare one in weir.yaml and run `weir apply`.</p>
      </Empty>
    );
  return <OfUseCase key={chosen} useCase={chosen} names={names} />;
}

function OfUseCase({ useCase, names }: { useCase: string; names: string[] }) {
  const query = useQuery(routeQuery(useCase));
  return (
    <AnswerScreen
      title="Routes"
      what="the route"
      query={query}
      controls={
        <Switch
          label="Use case"
          choices={names}
          chosen={useCase}
          to="/routes"
          searchOf={(name) => ({ use_case: name })}
        />
      }
    >
      {(answer) => (
        <>
          <LadderPanel route={answer} />
          <div className="grid gap-3 xl:grid-cols-2">
            <div className="grid min-w-0 content-start gap-3">
              <WhatIfPanel route={answer} />
              <OverridesPanel useCase={useCase} />
            </div>
            <div className="grid min-w-0 content-start gap-3">
              <ReasonsPanel reasons={answer.reasons} />
              <ExplainPanel useCase={useCase} />
            </div>
          </div>
        </>
      )}
    </AnswerScreen>
  );
}
