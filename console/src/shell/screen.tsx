/** A screen that shows one answer: its head, then loading, failure or the answer itself, with its age. */
import type { UseQueryResult } from "@tanstack/react-query";
import { formatClock, zoneOf } from "../figures/instant.ts";
import { Failed, Loading } from "./notice.tsx";
import { ScreenHead } from "./screen-head.tsx";

interface ScreenProps<Answer> {
  title: string;
  /** What is being loaded, e.g. "the limits". */
  what: string;
  query: UseQueryResult<Answer>;
  controls?: React.ReactNode;
  children: (answer: Answer) => React.ReactNode;
}

export function AnswerScreen<Answer>({ title, what, query, controls, children }: ScreenProps<Answer>) {
  const retry = (): void => void query.refetch();
  return (
    <div className="h-full overflow-y-auto">
      <ScreenHead
        title={title}
        windowTitle={title}
        aside={
          query.dataUpdatedAt > 0 && (
            <span>
              as of {formatClock(query.dataUpdatedAt)} {zoneOf(query.dataUpdatedAt)}
            </span>
          )
        }
      >
        {controls}
      </ScreenHead>
      {query.data === undefined ? (
        query.isError ? (
          <Failed error={query.error} retry={retry} />
        ) : (
          <Loading what={what} />
        )
      ) : (
        <div className="grid gap-3 px-4 pb-4">
          {query.isError && <Failed error={query.error} retry={retry} />}
          {children(query.data)}
        </div>
      )}
    </div>
  );
}

export const Nothing = ({ children }: { children: React.ReactNode }) => (
  <p className="px-3 py-4 text-xs text-ink-2">{children}</p>
);
