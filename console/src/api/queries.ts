/** What the screens ask for, as query options: keys, addresses, freshness. */
import { QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiProblem, call, queryOf, setCsrfToken } from "./client.ts";
import type { DecisionDetail, DecisionPage, Overview, OverviewRange, Session, UseCaseSummary } from "./types.ts";

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended elsewhere leads to the sign-in, whichever request notices first.
    onError: (error) => {
      if (error instanceof ApiProblem && error.code === "not_signed_in") queryClient.setQueryData(["session"], null);
    },
  }),
  defaultOptions: {
    queries: {
      retry: (count, error) => !(error instanceof ApiProblem) && count < 2,
      refetchOnWindowFocus: true,
    },
  },
});

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return adoptSession(await call<Session>("/session", { signal }));
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

/** A fresh session brings the token that every later write carries. */
export function adoptSession(session: Session): Session {
  setCsrfToken(session.csrf);
  return session;
}

export const declaredUseCasesQuery = queryOptions({
  queryKey: ["use-cases"],
  queryFn: ({ signal }) => call<{ use_cases: UseCaseSummary[] }>("/use-cases", { signal }),
  staleTime: 60_000,
});

export const overviewQuery = (range: OverviewRange) =>
  queryOptions({
    queryKey: ["overview", range],
    queryFn: ({ signal }) => call<Overview>(`/overview${queryOf({ range })}`, { signal }),
    refetchInterval: 5_000,
    placeholderData: (previous) => previous,
  });

export const decisionQuery = (id: string) =>
  queryOptions({
    queryKey: ["decision", id],
    queryFn: ({ signal }) => call<DecisionDetail>(`/decisions/${encodeURIComponent(id)}`, { signal }),
    // A decision still on its way is looked at again until it has settled.
    refetchInterval: (query) =>
      query.state.data !== undefined && query.state.data.settled === undefined ? 1_000 : false,
  });

export const fetchDecisions = (filters: Record<string, string | undefined>, cursor?: string, signal?: AbortSignal) =>
  call<DecisionPage>(`/decisions${queryOf({ ...filters, cursor, limit: 50 })}`, signal === undefined ? {} : { signal });
