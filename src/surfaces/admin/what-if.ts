/** A decision that nobody asked for, to see where it would go. It is routed and thrown away. */
import type { z } from "zod";
import type { ChatRequest } from "../../kernel/chat.ts";
import { dataClasses } from "../../kernel/decision.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { newDecisionId } from "../../kernel/ids.ts";
import { zeroUsd } from "../../kernel/money.ts";
import { Cancellation } from "../../kernel/signal.ts";
import type { Snapshot, TenantPolicy, UseCase } from "../../kernel/snapshot.ts";
import { noUsage } from "../../kernel/usage.ts";
import type { Ask, Decision } from "../../path/context.ts";
import type * as schemas from "./operation-schemas.ts";
import type { AdminDeps } from "./port.ts";

interface Question {
  snapshot: Snapshot;
  useCase: UseCase;
  tenant: TenantPolicy;
  query: z.output<typeof schemas.whatIfQuery>;
}

export function askWhatIf(deps: AdminDeps, question: Question): z.input<typeof schemas.whatIf> {
  const d = decisionOf(deps, question);
  const { useCase, tenant } = question;
  const regions = regionsOf(tenant, useCase);
  d.regions = regions ?? [];
  d.budgetLevel = deps.operations.budgetLevel(tenant, useCase);
  const refusal = regions === undefined ? undefined : deps.operations.route(d);
  const targetOf = (index: number, rung: Decision["rungs"][number]["rung"]): string =>
    rung.type === "model" ? rung.model : (d.route.find((line) => line.rung === index)?.target ?? rung.type);
  return {
    input_tokens: d.request ? deps.operations.countTokens(useCase, d.request) : question.query.input_tokens,
    data_class: d.dataClass,
    regions: [...d.regions],
    budget_level: d.budgetLevel,
    route: d.route,
    order: d.rungs.map(({ index, rung }) => ({ rung: index, target: targetOf(index, rung) })),
    ...(regions === undefined && {
      refusal: { code: "nothing_eligible", message: "Tenant and use case allow no region in common." },
    }),
    ...(isRefusal(refusal) && { refusal: { code: refusal.code, message: refusal.message } }),
  };
}

/** As `admit` narrows them; undefined where nothing is left. */
function regionsOf({ residency }: TenantPolicy, { regions }: UseCase): readonly string[] | undefined {
  if (residency.length === 0 || regions.length === 0) return residency.length > 0 ? residency : regions;
  const both = residency.filter((region) => regions.includes(region));
  return both.length > 0 ? both : undefined;
}

function decisionOf(deps: AdminDeps, { snapshot, useCase, tenant, query }: Question): Decision {
  const { clock, about } = deps;
  const ask = askOf(deps, useCase, query);
  const higher = Math.max(dataClasses.indexOf(useCase.dataClass), dataClasses.indexOf(query.data_class ?? "public"));
  const signal = new Cancellation();
  const id = newDecisionId(clock);
  return {
    id,
    call: {
      decision: id,
      surface: "admin",
      credential: undefined,
      context: query.latency === undefined ? {} : { latency: query.latency },
      startedAtMs: clock.now(),
      started: clock.monotonic(),
      signal,
      read: () => ask,
    },
    ask,
    snapshot,
    principal: {
      type: "service",
      id: "what-if",
      credential: "what-if",
      tenant: tenant.name,
      environment: about.environment,
      use_cases: ["*"],
      purposes: [],
      groups: [],
    },
    tenant,
    useCase,
    kind: useCase.kind,
    clock,
    signal,
    deadlineAt: clock.monotonic() + useCase.deadlineMs,
    stages: {},
    guards: [],
    route: [],
    attempts: [],
    attemptsBegun: 0,
    bytesClean: true,
    dropped: new Set(),
    abort: () => {},
    begun: false,
    settled: false,
    dataClass: dataClasses[higher]!,
    regions: [],
    rewritten: false,
    ...(ask.kind === "chat" && { request: ask.request }),
    ...("task" in ask && { task: ask.task }),
    rungs: [],
    passages: [],
    cache: { status: "off" },
    reasons: [],
    usage: noUsage,
    costNanoUsd: zeroUsd,
    release: () => {},
  };
}

const textOf = (words: number): string => "time ".repeat(words);

/** Estimates of long texts take their time on the request loop; the estimate grows evenly with the text. */
const sampleWords = 500;

/** As many words as the house's own estimate takes for the wanted tokens: it is what routing goes by. */
function wordsFor(deps: AdminDeps, useCase: UseCase, query: Question["query"]): number {
  const estimate = (words: number) =>
    deps.operations.countTokens(useCase, requestOf(useCase.name, textOf(words), query));
  const tokens = estimate(sampleWords) - estimate(0);
  return tokens > 0 ? Math.round((query.input_tokens * sampleWords) / tokens) : query.input_tokens;
}

function askOf(deps: AdminDeps, useCase: UseCase, query: Question["query"]): Ask {
  const { name, kind } = useCase;
  const text = textOf(wordsFor(deps, useCase, query));
  const common = { useCase: name, body: new Uint8Array() };
  switch (kind) {
    case "score":
      return { kind, ...common, input: {} };
    case "chat":
      return { kind, ...common, dialect: "openai-chat", request: requestOf(name, text, query) };
    case "rerank":
      return { kind, ...common, task: { kind, query: "time", documents: [text], unmodelled: [] } };
    default:
      return { kind, ...common, task: { kind, inputs: [text], unmodelled: [] } };
  }
}

const requestOf = (model: string, text: string, { tools, stream }: Question["query"]): ChatRequest => ({
  model,
  messages: [{ role: "user", parts: [{ type: "text", text }] }],
  stream: stream === "true",
  wants_usage: false,
  unmodelled: [],
  ...(tools === "true" && { tools: [{ name: "look_up", parameters: { type: "object" } }] }),
});
