/** One decision, whole: what came out, why, by which way, at what cost, and where it stands in the ledger. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { decisionQuery } from "../api/queries.ts";
import type { DecisionDetail } from "../api/types.ts";
import { lastFilters } from "../decisions/filters.ts";
import { CopyButton } from "../shell/copy-button.tsx";
import { Left } from "../shell/icons.tsx";
import { Empty, Failed, Loading } from "../shell/notice.tsx";
import { ScreenHead } from "../shell/screen-head.tsx";
import { isTyping } from "../shell/shortcuts.tsx";
import { ApiProblem } from "../api/client.ts";
import { AttemptsPanel } from "./attempts-panel.tsx";
import { ContentPanel } from "./content-panel.tsx";
import { FactsPanel } from "./facts-panel.tsx";
import { GuardsPanel } from "./guards-panel.tsx";
import { OutcomeHead } from "./outcome-head.tsx";
import { ProofPanel } from "./proof-panel.tsx";
import { ReasonsPanel } from "./reasons-panel.tsx";
import { RecordPanel } from "./record-panel.tsx";
import { RetrievalPanel } from "./retrieval-panel.tsx";
import { RoutePanel } from "./route-panel.tsx";
import { ScorePanel } from "./score-panel.tsx";
import { TimelinePanel } from "./timeline-panel.tsx";

const route = getRouteApi("/decisions/$id");

export function DecisionScreen() {
  const { id } = route.useParams();
  const query = useQuery(decisionQuery(id));
  useBackKey();
  return (
    <div className="h-full overflow-y-auto">
      <ScreenHead
        windowTitle={`Decision …${id.slice(-8)}`}
        title={<Title id={id} />}
        aside={<CopyButton text={id} label="Copy the decision id" />}
      />
      {query.data !== undefined ? (
        <Detail key={id} detail={query.data} />
      ) : query.isError ? (
        isMissing(query.error) ? (
          <Missing id={id} />
        ) : (
          <Failed error={query.error} retry={() => void query.refetch()} />
        )
      ) : (
        <Loading what="the decision" />
      )}
    </div>
  );
}

const Title = ({ id }: { id: string }) => (
  <>
    <Link
      to="/decisions"
      search={lastFilters()}
      className="flex items-center gap-1 rounded font-normal text-ink-2 hover:text-accent"
    >
      <Left className="size-3.5" />
      Decisions
    </Link>
    <span aria-hidden="true" className="font-normal text-line-strong">
      /
    </span>
    <span className="mono">{id}</span>
  </>
);

function useBackKey(): void {
  const { history } = useRouter();
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Backspace" && !isTyping(event.target)) history.back();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [history]);
}

const isMissing = (error: unknown): boolean => error instanceof ApiProblem && error.status === 404;

const Missing = ({ id }: { id: string }) => (
  <Empty title="There is no such decision here.">
    <p className="text-ink-2">
      <span className="mono">{id}</span> is not in this install's ledger. Check the end of the id, and whether it was
      decided in another environment: the environment in the top bar is the only one that you see.
    </p>
    <p>
      <Link to="/decisions" search={{ q: id.slice(0, 12) }} className="text-accent underline">
        Find decisions whose id begins alike
      </Link>
    </p>
  </Empty>
);

/** Panels come and go with what the record holds: nothing empty is shown. */
function Detail({ detail }: { detail: DecisionDetail }) {
  const { settled, attempts } = detail;
  return (
    <div className="grid gap-3 px-4 pb-4">
      <OutcomeHead detail={detail} />
      <div className="grid gap-3 xl:grid-cols-[minmax(0,1fr)_21.5rem]">
        <div className="grid min-w-0 content-start gap-3">
          {settled?.score !== undefined && <ScorePanel settled={settled} score={settled.score} />}
          {settled !== undefined && settled.reasons.length > 0 && <ReasonsPanel reasons={settled.reasons} />}
          {settled !== undefined && <TimelinePanel settled={settled} attempts={attempts} />}
          {settled !== undefined && settled.route.length > 0 && (
            <RoutePanel route={settled.route} attempts={attempts} />
          )}
          {attempts.length > 0 && <AttemptsPanel attempts={attempts} />}
          {settled !== undefined && settled.guards.length > 0 && <GuardsPanel guards={settled.guards} />}
          {settled?.retrieval !== undefined && <RetrievalPanel retrieval={settled.retrieval} />}
          <ContentPanel detail={detail} />
        </div>
        <div className="grid min-w-0 content-start gap-3">
          <FactsPanel detail={detail} />
          <RecordPanel detail={detail} />
          {detail.entries.length > 0 && <ProofPanel detail={detail} />}
        </div>
      </div>
    </div>
  );
}
