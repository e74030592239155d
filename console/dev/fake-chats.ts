/** Made-up questions to the assistant and mails to sort. */
import type { AttemptMeta, GuardVerdict, RouteReason } from "../../src/kernel/decision.ts";
import { fakeId, pick, round3, spread, type Draw } from "./fake-draw.ts";
import { attempt, type Plan } from "./fake-plan.ts";

const questions = [
  [
    "What does early repayment of my car loan cost?",
    "early-repayment.md",
    "You may repay a consumer loan early at any time. The fee is at most 1 % of the amount repaid early, or 0.5 % when less than a year remains.",
  ],
  [
    "Can I pause a monthly instalment?",
    "payment-holidays.md",
    "After twelve months on schedule you can postpone up to two instalments a year. Interest accrues during the pause.",
  ],
  [
    "Which papers do I need for a mortgage?",
    "mortgage-documents.md",
    "Bring proof of identity, the last three payslips, the land register extract and the draft purchase contract.",
  ],
] as const;

export function assistantPlan(draw: Draw, atMs: number): Plan {
  const [question, source, answer] = pick(draw, questions);
  const input = 380 + Math.floor(draw() * 900);
  const output = 60 + Math.floor(draw() * 260);
  const cost = (input * 250 + output * 2000) as AttemptMeta["cost_nano_usd"];
  const ttft = round3(spread(draw, 210, 0.35));
  const serveMs = round3(ttft + output * spread(draw, 6.5, 0.15));
  const redacted = draw() < 0.18;
  const guards: GuardVerdict[] = [
    {
      guard: "pii",
      on: "input",
      verdict: redacted ? "modify" : "allow",
      action: redacted ? "redact" : "allow",
      findings: redacted ? { iban: 1, email: 1 } : {},
    },
    { guard: "pii", on: "passages", verdict: "allow", action: "allow", findings: {} },
    { guard: "pii", on: "output", verdict: "allow", action: "allow", findings: {} },
  ];
  const route: RouteReason[] = [
    {
      rung: 0,
      target: "local/qwen3:8b",
      eligible: false,
      reason: "vendor_closed",
      detail: "breaker open since 14:02:11",
    },
    {
      rung: 1,
      target: "openai/gpt-5.4",
      eligible: !redacted,
      reason: redacted ? "data_class_not_allowed" : "eligible",
      ...(redacted ? { detail: "personal exceeds the agreement of openai (internal)" } : {}),
    },
    { rung: 2, target: "in-process/extractive", eligible: true, reason: "eligible" },
    { rung: 3, target: "template", eligible: true, reason: "eligible" },
  ];
  const common = {
    useCase: "assistant" as const,
    route,
    guards,
    reasons: [],
    automation: "auto" as const,
    record: "redacted" as const,
    retrieval: {
      collection: "policies",
      generation: "gen_0007",
      passages: [
        { source: `policies/${source}`, score: 11.42 },
        { source: "policies/fees.md", score: 6.03 },
        { source: "policies/contact.md", score: 2.17 },
      ],
    },
    content: {
      messages: [{ role: "user", parts: [{ type: "text", text: question }] }],
      answer: { parts: [{ type: "text", text: answer }] },
      citations: [
        {
          source: `policies/${source}`,
          title: source.replace(".md", "").replaceAll("-", " "),
          start: 120,
          end: 120 + answer.length,
          text: answer,
        },
      ],
    },
  };
  const before = {
    identify: 0.013,
    admit: 0.041,
    reserve: 0.007,
    screen: round3(spread(draw, 0.09, 0.4)),
    route: 0.02,
    recall: 0.031,
  };
  if (draw() < 0.22) return { ...common, ...cached(draw), stages: { ...before, settle: 0.06 } };
  if (redacted) {
    const quick = round3(spread(draw, 3.2, 0.3));
    return {
      ...common,
      state: "answered",
      status: 200,
      result: "answer",
      stages: { ...before, ground: 1.2, serve: quick, check: 0.1, judge: 0.01, settle: 0.05 },
      cache: { status: "miss" },
      usage: { input: 0, cached_input: 0, output: 0, estimated: false },
      drawn: [
        attempt(1, 2, {
          model: "extractive",
          target: "in-process/extractive",
          region: "onprem",
          started_at_ms: atMs + 2,
          duration_ms: quick,
        }),
      ],
    };
  }
  return {
    ...common,
    ...vendorOutcome(draw, atMs, { input, output, cost, ttft, serveMs }),
    stages: {
      ...before,
      ground: round3(spread(draw, 1.3, 0.3)),
      serve: serveMs,
      check: 0.21,
      judge: 0.01,
      settle: 0.05,
    },
    cache: { status: "miss" },
  };
}

function cached(draw: Draw): Pick<Plan, "state" | "status" | "result" | "cache" | "usage" | "drawn"> {
  return {
    state: "answered",
    status: 200,
    result: "answer",
    cache: { status: "hit", from: fakeId("dec", draw, Date.now() - 240_000) as never },
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    drawn: [],
  };
}

interface VendorCall {
  input: number;
  output: number;
  cost: AttemptMeta["cost_nano_usd"];
  ttft: number;
  serveMs: number;
}

function vendorOutcome(
  draw: Draw,
  atMs: number,
  call: VendorCall,
): Pick<Plan, "state" | "status" | "usage" | "drawn"> & Partial<Plan> {
  const usage = { input: call.input, cached_input: 0, output: call.output, estimated: false };
  const place = {
    model: "gpt-main",
    target: "openai/gpt-5.4",
    region: "us",
    price: "openai/gpt-5.4@2026-09-01",
    held_nano_usd: (call.cost * 3) as AttemptMeta["held_nano_usd"],
  };
  const good = attempt(1, 1, {
    ...place,
    usage,
    cost_nano_usd: call.cost,
    started_at_ms: atMs + 3,
    duration_ms: call.serveMs,
    ttft_ms: call.ttft,
  });
  const roll = draw();
  if (roll < 0.05) {
    const limited = attempt(1, 1, {
      ...place,
      status: "failed",
      reason: "http_429",
      started_at_ms: atMs + 3,
      duration_ms: call.serveMs * 0.3,
    });
    const second = { ...good, n: 2, started_at_ms: atMs + 3 + call.serveMs * 0.34, duration_ms: call.serveMs * 0.64 };
    return { state: "answered", status: 200, result: "answer", usage, ttft_ms: call.ttft, drawn: [limited, second] };
  }
  if (roll < 0.075) {
    const failing = [1, 2, 3].map((n) =>
      attempt(n, 1, {
        ...place,
        status: "failed",
        reason: n === 2 ? "connect_refused" : "http_503",
        started_at_ms: atMs + 3 + n * 200,
        duration_ms: 180,
      }),
    );
    return {
      state: "failed",
      status: 502,
      code: "ladder_exhausted",
      usage: { ...usage, input: 0, output: 0 },
      drawn: failing,
    };
  }
  if (roll < 0.095)
    return {
      state: "interrupted",
      status: 499,
      code: "client_gone",
      usage: { ...usage, output: Math.floor(call.output / 3), estimated: true },
      ttft_ms: call.ttft,
      delivered: { frames: 31, bytes: 4120, complete: false },
      drawn: [{ ...good, status: "aborted", usage: { ...usage, estimated: true } }],
    };
  return { state: "answered", status: 200, result: "answer", usage, ttft_ms: call.ttft, drawn: [good] };
}

export function triagePlan(draw: Draw, atMs: number): Plan {
  const input = 180 + Math.floor(draw() * 300);
  const output = 12 + Math.floor(draw() * 20);
  const serveMs = round3(spread(draw, 160, 0.4));
  const blocked = draw() < 0.06;
  const usage = { input, cached_input: 64, output, estimated: false };
  const base = {
    useCase: "triage" as const,
    reasons: [],
    automation: "auto" as const,
    cache: { status: "bypass" as const },
    record: "digest" as const,
  };
  const guards: GuardVerdict[] = [
    {
      guard: "secrets",
      on: "input",
      verdict: blocked ? "deny" : "allow",
      action: blocked ? "block" : "allow",
      findings: blocked ? { api_key: 1 } : {},
      ...(blocked ? { reason: "a secret was found" } : {}),
    },
  ];
  if (blocked)
    return {
      ...base,
      state: "refused",
      status: 403,
      code: "input_blocked",
      guards,
      stages: { identify: 0.01, admit: 0.03, reserve: 0.005, screen: 0.12, settle: 0.05 },
      route: [],
      drawn: [],
      usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    };
  const done = attempt(1, 0, {
    model: "qwen-small",
    target: "local/qwen3:8b",
    region: "onprem",
    usage,
    cost_nano_usd: (input * 20 + output * 60) as never,
    held_nano_usd: 40_000 as never,
    price: "local/qwen3:8b@2026-05-01",
    started_at_ms: atMs + 0.3,
    duration_ms: serveMs,
    ttft_ms: serveMs * 0.7,
  });
  return {
    ...base,
    state: "answered",
    status: 200,
    result: "answer",
    guards,
    usage,
    ttft_ms: serveMs * 0.7,
    stages: {
      identify: 0.01,
      admit: 0.03,
      reserve: 0.005,
      screen: 0.07,
      route: 0.015,
      serve: serveMs,
      judge: 0.01,
      settle: 0.05,
    },
    route: [{ rung: 0, target: "local/qwen3:8b", eligible: true, reason: "eligible" }],
    drawn: [done],
  };
}
