/** For tests: the real server and the real `decide` over fake stages, on loopback; what was asked is kept for looking at. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { VirtualClock } from "../../kernel/clock.ts";
import { validateFeatures } from "../../kernel/contract.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Feature, FeatureContract, Snapshot, TenantPolicy, UseCase } from "../../kernel/snapshot.ts";
import type { Answer, Decision, ScoreAnswer } from "../../path/context.ts";
import { decide } from "../../path/decide.ts";
import type { Path, Settle } from "../../path/path.ts";
import { type Gateway, createGatewayServer } from "../gateway/index.ts";
import { inferenceV2Routes } from "./index.ts";

const applicantYaml = readFileSync(new URL("../../../examples/bank/schemas/applicant.yaml", import.meta.url), "utf8");

/** The bank's contract, with one integer feature more. */
export function applicantContract(): FeatureContract {
  const yaml = parse(applicantYaml) as Record<"features" | "protected", Record<string, Partial<Feature>>>;
  const features = (given: Record<string, Partial<Feature>>): Feature[] =>
    Object.entries(given).map(([name, { type, values, min, max, nullable }]) => ({
      name,
      type: type!,
      nullable: nullable ?? false,
      immutable: false,
      dataClass: "personal",
      ...(values && { values }),
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
    }));
  const children: Feature = {
    name: "Children",
    type: "integer",
    nullable: true,
    immutable: false,
    dataClass: "personal",
  };
  return {
    name: "applicant",
    version: 1,
    score: "P(good)",
    features: [...features(yaml.features), children],
    protectedFeatures: features(yaml.protected),
  };
}

export const bundle = "0123456789abcdef".repeat(4);

export function useCase(name: string, more: Partial<UseCase> = {}): UseCase {
  return {
    name,
    kind: "score",
    risk: "limited",
    dataClass: "personal",
    tenants: [],
    purposes: [],
    consent: "none",
    regions: [],
    limits: {},
    screen: [],
    check: [],
    ladder: [],
    decide: [],
    deadlineMs: 1000,
    retries: 0,
    durability: "queued",
    record: "redacted",
    bundle,
    release: "direct",
    contract: applicantContract(),
    ...more,
  };
}

const principal = (id: string, more: Partial<Principal> = {}): Principal => ({
  type: "service",
  id,
  credential: `kid_${id}`,
  tenant: "bank",
  environment: "dev",
  use_cases: ["*"],
  purposes: [],
  groups: [],
  ...more,
});

const keys: Record<string, Principal> = {
  good: principal("good"),
  narrow: principal("narrow", { use_cases: ["assistant"] }),
  stranger: principal("stranger", { tenant: "shop" }),
};

export interface House {
  url: string;
  clock: VirtualClock;
  useCases: Map<string, UseCase>;
  /** Every decision that `admit` let pass, in order. */
  decided: Decision[];
  /** Every refusal before a decision began. */
  counted: Refusal[];
  /** Every refusal of a decision. */
  refused: Refusal[];
  faults: unknown[];
  ready: Set<string>;
  /** What a row is answered with; by default its amount as the score. */
  answer(d: Decision): ScoreAnswer | Refusal;
  /** Runs while a row is being served. */
  serving(d: Decision): Promise<void>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  close(): Promise<void>;
}

interface Reply {
  status: number;
  headers: Headers;
  /** Of one shape or the other; `toEqual` finds what is not there. */
  body: {
    error: string;
    outputs: {
      name: string;
      shape: number[];
      datatype: string;
      data: unknown[];
      parameters?: { binary_data_size: number };
    }[];
  };
  /** What stands behind the JSON. */
  tail: Buffer;
}

export async function openHouse(): Promise<House> {
  const clock = new VirtualClock();
  const tenant = (name: string): [string, TenantPolicy] => [name, { name, limits: {}, residency: [] }];
  const { contract: _, ...chat } = useCase("assistant", { kind: "chat" });
  const house: House = {
    url: "",
    clock,
    useCases: new Map([
      ["credit", useCase("credit", { tenants: ["bank"] })],
      ["consented", useCase("consented", { consent: "required" })],
      ["assistant", chat],
    ]),
    decided: [],
    counted: [],
    refused: [],
    faults: [],
    ready: new Set(["credit", "consented"]),
    answer: (d) => ({ score: Number(d.features?.["Amount"]) / 100_000, result: "approve", reasons: [] }),
    serving: async () => {},
    post: (path, body, headers) => {
      const sent = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
      return ask(path, { method: "POST", body: sent as string }, headers);
    },
    get: (path, headers) => ask(path, {}, headers),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  const snapshot: Snapshot = {
    number: 1,
    hash: "hash",
    tenants: new Map([tenant("bank"), tenant("shop")]),
    useCases: house.useCases,
    vendors: new Map(),
    models: new Map(),
    consents: [],
  };
  const path = fakePath(house, snapshot);
  const gateway: Gateway = {
    clock,
    decide: (call) => decide(path, call),
    countRefusal: (refusal) => house.counted.push(refusal),
    report: (fault) => house.faults.push(fault),
    draining: () => false,
    maxBodyBytes: 32 * 2 ** 20,
  };
  const routes = inferenceV2Routes(gateway, {
    version: "1.2.3",
    identify: path.identify,
    snapshot: () => snapshot,
    ready: (asked) => house.ready.has(asked.name),
  });
  const { server } = createGatewayServer(gateway, { routes });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  house.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function ask(to: string, init: RequestInit, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(house.url + to, {
      ...init,
      headers: { authorization: "Bearer good", "content-type": "application/json", ...headers },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const head = Number(response.headers.get("inference-header-content-length") ?? bytes.length);
    const body = JSON.parse(bytes.toString("utf8", 0, head)) as Reply["body"];
    return { status: response.status, headers: response.headers, body, tail: bytes.subarray(head) };
  }
  return house;
}

function fakePath(house: House, snapshot: Snapshot): Path {
  const refused = (d: Decision, refusal: Refusal): Answer => {
    d.release();
    house.refused.push(refusal);
    return { decision: d.id, outcome: { type: "refused", refusal } };
  };
  const settle: Settle = {
    begin: () => undefined,
    refused,
    replayed: (_, answer) => answer,
    fault: (d, fault) => {
      house.faults.push(fault);
      return refused(d, refuse("internal"));
    },
    answered: (d, outcome) => {
      d.release();
      return {
        decision: d.id,
        outcome,
        settled: { use_case: d.useCase.name, state: "answered", attempts: 1, cache: d.cache, stages: d.stages },
      };
    },
  };
  return {
    clock: house.clock,
    snapshot: () => snapshot,
    countRefusal: (refusal) => house.counted.push(refusal),
    identify: (credential) =>
      credential === undefined ? refuse("unauthenticated") : (keys[credential] ?? refuse("invalid_key")),
    admit: (d) => admit(house, d),
    reserve: () => undefined,
    screen: () => undefined,
    route: (d) => {
      d.rungs = [{ index: 0, rung: { type: "template", text: "", commit: "complete" } }];
      return undefined;
    },
    recall: () => undefined,
    ground: () => undefined,
    serve: async (d) => {
      await house.serving(d);
      return { type: "score", score: 0, reasons: [] };
    },
    check: (_, __, served) => served,
    judge: (d) => {
      const answer = house.answer(d);
      if ("refused" in answer) return { type: "refused", refusal: answer };
      return { type: "score", answer };
    },
    settle,
  };
}

function admit(house: House, d: Decision): Refusal | undefined {
  if (!d.principal.use_cases.includes("*") && !d.principal.use_cases.includes(d.useCase.name))
    return refuse("use_case_not_allowed");
  if (d.ask.kind !== d.useCase.kind) return refuse("kind_mismatch");
  const checked = validateFeatures(d.useCase.contract!, d.ask.kind === "score" ? d.ask.input : undefined);
  if (!checked.ok) {
    const [problem] = checked.problems;
    return refuse("invalid_input", `${problem!.feature}: ${problem!.message}`);
  }
  d.features = checked.features;
  house.decided.push(d);
  return undefined;
}
