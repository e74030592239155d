/** The cache: what it holds and saves, and dropping answers. */
import type { z } from "zod";
import { refuse } from "../../kernel/errors.ts";
import * as schemas from "./operation-schemas.ts";
import { actBy, operating } from "./perform.ts";
import type { AdminDeps } from "./port.ts";
import { type Route, route } from "./route.ts";

export function cacheRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/cache",
      name: "getCache",
      summary: "What the cache holds, and what it saved by use case.",
      access: "metadata.read",
      answer: schemas.cache,
      handle: () => cacheOf(deps),
    }),
    route({
      method: "post",
      path: "/cache/invalidate",
      name: "invalidateCache",
      summary: "Drops kept answers by tenant, use case and tag; those under way are not kept either.",
      access: operating,
      body: schemas.invalidateBody,
      answer: schemas.invalidated,
      async handle({ session, body: { reason, tenant, use_case, tag } }) {
        const { cache } = deps.operations;
        const { snapshot } = deps.snapshot();
        if (use_case !== undefined && !snapshot.useCases.has(use_case))
          return refuse("invalid_request", "use_case: the configuration declares no such use case.", {
            param: "use_case",
          });
        const named = {
          ...(tenant !== undefined && { tenant }),
          ...(use_case !== undefined && { use_case }),
          ...(tag !== undefined && { tag }),
        };
        await deps.record(actBy(session, { act: "cache.invalidate", on: "cache", detail: { ...named, reason } }));
        const dropped = cache.invalidate({
          ...(tenant !== undefined && { tenant }),
          ...(use_case !== undefined && { useCase: use_case }),
          ...(tag !== undefined && { tag }),
        });
        return { dropped };
      },
    }),
  ];
}

async function cacheOf({ operations, index, clock, snapshot }: AdminDeps): Promise<z.input<typeof schemas.cache>> {
  const { groups } = await index.costs({ range: "24h", by: "use_case" }, clock.now());
  const spent = new Map(groups.map(({ name, spend }) => [name, spend]));
  const live = operations.cache.figures();
  const useCases = [...snapshot().snapshot.useCases.values()].filter(
    ({ name, cache }) => cache !== undefined || (spent.get(name)?.cache_hits ?? 0) > 0,
  );
  return {
    live: {
      entries: live.entries,
      bytes: live.bytes,
      hits: live.hits,
      misses: live.misses,
      saved_nano_usd: live.savedNanoUsd,
    },
    use_cases: useCases.map(({ name, cache }) => ({
      name,
      ...(cache && { exact_ttl_ms: cache.exactTtlMs }),
      tags: [...(cache?.tags ?? [])],
      decisions: spent.get(name)?.decisions ?? 0,
      cache_hits: spent.get(name)?.cache_hits ?? 0,
      saved_nano_usd: spent.get(name)?.saved_nano_usd ?? 0,
    })),
  };
}
