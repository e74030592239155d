/**
 * A stand-in for Weir's admin API, for console development and tests: serves console/dist under the console's content
 * security policy, and the admin seam with made-up decisions and a live stream. Loopback only.
 * `node console/dev/fake-admin.ts [port]`, then open the printed link.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, relative } from "node:path";
import type { DecisionRow, Session } from "../src/api/types.ts";
import { seeded } from "./fake-draw.ts";
import { alertsOf, budgetsOf, cacheOf, costsOf, limitsOf } from "./fake-money.ts";
import { type FakeOperations, routeOf, targetsOf, whatIfOf } from "./fake-operations.ts";
import { overviewOf } from "./fake-overview.ts";
import { fakeProof } from "./fake-proof.ts";
import { fakeDecision, type FakeDecision } from "./fake-records.ts";

const consolePolicy =
  "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

export interface FakeAdminOptions {
  port?: number;
  /** The present, for reproducible pictures. */
  nowMs?: number;
  /** Decisions of the last 15 minutes that exist at start. */
  history?: number;
  /** Milliseconds between live decisions; 0 sends none by itself. */
  liveEveryMs?: number;
  roles?: Session["operator"]["roles"];
  /** What to answer for a proof bundle instead of a true one. */
  proof?: (decision: FakeDecision) => unknown;
}

export interface FakeAdmin {
  url: string;
  linkToken: string;
  inviteToken: string;
  password: string;
  decisions: FakeDecision[];
  /** Acts as the ledger would journal them. */
  journaled: { act: string; on: string; reason: string }[];
  emit(): FakeDecision;
  close(): Promise<void>;
}

const dist = join(import.meta.dirname, "../dist");
const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};
const cookie = "weir_session=fake-session";

export async function startFakeAdmin(options: FakeAdminOptions = {}): Promise<FakeAdmin> {
  loadAssets();
  const draw = seeded(20261122);
  const nowMs = options.nowMs ?? Date.now();
  const count = options.history ?? 1200;
  const decisions: FakeDecision[] = [];
  for (let i = 0; i < count; i++)
    decisions.push(fakeDecision(draw, Math.round(nowMs - (900_000 * (count - i)) / count), 1000 + i));
  decisions.reverse();
  const live = new Set<{ response: ServerResponse; filter: URLSearchParams }>();
  const world: World = {
    options,
    decisions,
    live,
    journaled: [],
    overrides: [],
    nowMs: () => options.nowMs ?? Date.now(),
    sessions: { signedIn: false },
    tokens: new Set(["link-1", "link-2", "link-3", "link-4", "link-5", "link-6"]),
  };
  const emit = (): FakeDecision => {
    const decision = fakeDecision(draw, options.nowMs === undefined ? Date.now() : nowMs, 1000 + decisions.length);
    decisions.unshift(decision);
    for (const { response, filter } of live) if (matches(decision.row, filter)) response.write(eventOf(decision.row));
    return decision;
  };
  const server = createServer((request, response) => void answer(world, request, response));
  await new Promise<void>((listening) => server.listen(options.port ?? 0, "127.0.0.1", listening));
  const timer = options.liveEveryMs ? setInterval(emit, options.liveEveryMs) : undefined;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    linkToken: "link-1",
    inviteToken: "invite-1",
    password: "correct horse battery",
    decisions,
    journaled: world.journaled,
    emit,
    close: () => closeAll(server, timer),
  };
}

function closeAll(server: Server, timer: NodeJS.Timeout | undefined): Promise<void> {
  clearInterval(timer);
  return new Promise((closed) => {
    server.close(() => closed());
    server.closeAllConnections();
  });
}

interface World extends FakeOperations {
  options: FakeAdminOptions;
  decisions: FakeDecision[];
  live: Set<{ response: ServerResponse; filter: URLSearchParams }>;
  journaled: FakeAdmin["journaled"];
  sessions: { signedIn: boolean };
  tokens: Set<string>;
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname.startsWith("/console")) return serveFile(url.pathname, response);
  if (!url.pathname.startsWith("/admin/v1/"))
    return problem(response, 404, "route_not_found", "There is nothing at this path.");
  const path = url.pathname.slice("/admin/v1".length);
  const sent = await bodyOf(request);
  const body = sent as Record<string, string>;
  const route = `${request.method} ${path}`;
  if (path.startsWith("/session") || path.startsWith("/invitations") || path.startsWith("/passkeys"))
    return sessionRoutes(world, route, body, request, response);
  if (!(request.headers.cookie ?? "").includes(cookie))
    return problem(response, 401, "not_signed_in", "You are not signed in.", "Sign in at /console.");
  if (request.method !== "GET" && request.headers["x-weir-csrf"] !== "csrf-1")
    return problem(response, 403, "origin_refused", "The request does not come from the console.");
  const run = operationRoutes(world, request.method ?? "GET", path, url.searchParams, sent);
  if (run !== undefined) return json(response, 200, run);
  if (/^\/(overrides|cache)/.test(path)) return void response.writeHead(204).end();
  return signedInRoutes(world, route, path, url.searchParams, body, request, response);
}

const fakeRegistration = {
  challenge: "ZmFrZQ",
  rp: { id: "localhost", name: "Weir" },
  user: { id: "b3BfMDE", name: "Ada", displayName: "Ada" },
  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
  authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
};

/** Accepts every well-formed passkey: it checks no signature. */
function sessionRoutes(
  world: World,
  route: string,
  body: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const open = (): void =>
    json(response, 200, sessionOf(world.options), { "set-cookie": `${cookie}; HttpOnly; SameSite=Strict; Path=/` });
  if (route === "GET /session") {
    if ((request.headers.cookie ?? "").includes(cookie)) return json(response, 200, sessionOf(world.options));
    return problem(response, 401, "not_signed_in", "You are not signed in.", "Sign in at /console.");
  }
  if (route === "DELETE /session")
    return void response.writeHead(204, { "set-cookie": "weir_session=; Max-Age=0; Path=/" }).end();
  if (route === "POST /session/token")
    return world.tokens.delete(body["token"] ?? "")
      ? open()
      : problem(
          response,
          401,
          "sign_in_failed",
          "This link was used already or has expired.",
          "Ask for a new one with `weir operators link NAME`.",
        );
  if (route === "POST /session")
    return body["name"] === "Ada" && body["password"] === "correct horse battery"
      ? open()
      : problem(
          response,
          401,
          "sign_in_failed",
          "Name, password or passkey do not match.",
          "Try again, or ask an admin for a new invitation.",
        );
  if (route === "POST /passkeys/authentication/options")
    return json(response, 200, {
      challenge: "ZmFrZQ",
      rpId: "localhost",
      allowCredentials: [],
      userVerification: "preferred",
    });
  if (route === "POST /passkeys/registration/options") return json(response, 200, fakeRegistration);
  if (route === "POST /passkeys/registration")
    return body["type"] === "public-key"
      ? json(response, 200, { id: body["id"] })
      : problem(response, 400, "invalid_request", "This is no passkey.");
  if (route === "POST /passkeys/authentication")
    return body["type"] === "public-key"
      ? open()
      : problem(response, 401, "sign_in_failed", "The passkey does not match.");
  if (route === "POST /invitations/accept")
    return body["token"] === "invite-1"
      ? open()
      : problem(response, 401, "sign_in_failed", "This invitation was used already or has expired.");
  return problem(response, 404, "route_not_found", "There is nothing at this path.");
}

function signedInRoutes(
  world: World,
  route: string,
  path: string,
  query: URLSearchParams,
  body: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (route === "GET /use-cases") return json(response, 200, { use_cases: fakeUseCases });
  if (route === "GET /overview") return json(response, 200, overviewOf(world, query.get("range") ?? "1h"));
  if (route === "GET /decisions") return json(response, 200, pageOf(world.decisions, query));
  if (route === "GET /decisions/stream") return openStream(world, query, request, response);
  if (route === "GET /ledger")
    return json(response, 200, { nodes: [{ node: "node-1", entries: 6000, writable: true }], public_key: "fake" });
  const match = /^(GET|POST) \/decisions\/(dec_[0-9a-z]+)(\/content|\/proof)?$/.exec(route);
  const decision = match ? world.decisions.find(({ row }) => row.decision_id === match[2]) : undefined;
  if (match && decision === undefined)
    return problem(response, 404, "not_found", "There is no such decision.", "Check the id in the address.");
  if (decision === undefined) return problem(response, 404, "route_not_found", `There is nothing at ${path}.`);
  if (match?.[3] === undefined) return json(response, 200, decision.detail);
  if (match[3] === "/content") return contentOf(world, decision, body, response);
  return json(response, 200, (world.options.proof ?? fakeProof)(decision));
}

/** What runs: the answer, or nothing where it is another route or one without an answer. */
function operationRoutes(
  world: World,
  method: string,
  path: string,
  query: URLSearchParams,
  body: Record<string, unknown>,
): object | undefined {
  const [, first, id, last] = path.split("/");
  if (method === "POST") return operationActs(world, path, body);
  if (first === "routes" && id !== undefined)
    return last === "what-if" ? whatIfOf(query) : routeOf(world, decodeURIComponent(id));
  const answers: Record<string, () => object> = {
    targets: () => targetsOf(world),
    overrides: () => ({ overrides: world.overrides }),
    costs: () => costsOf(world, query),
    budgets: () => budgetsOf(world),
    limits: () => limitsOf(world),
    cache: () => cacheOf(world),
    alerts: () => alertsOf(world),
  };
  return first === undefined ? undefined : answers[first]?.();
}

function operationActs(world: World, path: string, body: Record<string, unknown>): object | undefined {
  const reason = String(body["reason"] ?? "");
  const [, first, id] = path.split("/");
  if (path === "/cache/invalidate") {
    world.journaled.push({ act: "cache.invalidate", on: "cache", reason });
    return { dropped: 12 };
  }
  if (first !== "overrides") return undefined;
  if (id !== undefined) {
    world.overrides = world.overrides.filter((override) => override.id !== id);
    world.journaled.push({ act: "route.clear", on: `override:${id}`, reason });
    return undefined;
  }
  const { for_minutes, ...wanted } = body as unknown as Omit<FakeOperations["overrides"][number], "id"> & {
    for_minutes: number;
  };
  const from = world.nowMs();
  const override = {
    ...wanted,
    id: `ovr_${world.overrides.length + 1}`,
    from_ms: from,
    until_ms: from + for_minutes * 60_000,
    operator: { id: "op_01", name: "Ada" },
  };
  world.overrides.push(override);
  world.journaled.push({ act: "route.override", on: `override:${override.id}`, reason });
  return { override };
}

function contentOf(world: World, decision: FakeDecision, body: Record<string, string>, response: ServerResponse): void {
  const roles = world.options.roles ?? ["admin"];
  if (!roles.some((role) => role === "admin" || role === "reviewer" || role === "auditor"))
    return problem(
      response,
      403,
      "role_required",
      "Opening content needs the role reviewer, auditor or admin.",
      "Ask an admin for the role named in the message.",
    );
  if (decision.content === undefined || !decision.detail.content_available)
    return problem(response, 404, "content_not_recorded", "This decision's content was not recorded.");
  world.journaled.push({
    act: "content.open",
    on: `decision:${decision.row.decision_id}`,
    reason: body["reason"] ?? "",
  });
  return json(response, 200, {
    content: decision.content,
    features: { Seniority: { data_class: "personal", unit: "years" } },
  });
}

function openStream(world: World, filter: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 2000\nid: arrival-0\n\n");
  const entry = { response, filter };
  world.live.add(entry);
  request.on("close", () => world.live.delete(entry));
}

const eventOf = (row: DecisionRow): string =>
  `event: decision\nid: arrival-${row.decision_id}\ndata: ${JSON.stringify(row)}\n\n`;

function matches(row: DecisionRow, filter: URLSearchParams): boolean {
  const equal = (name: string, value: string | undefined): boolean => !filter.get(name) || filter.get(name) === value;
  const text = filter.get("q");
  const untilMs = Number(filter.get("until_ms") ?? Infinity);
  return (
    equal("use_case", row.use_case) &&
    equal("state", row.state) &&
    equal("code", row.code) &&
    equal("result", row.result) &&
    equal("principal", row.principal_id) &&
    row.at_ms < untilMs &&
    (!text || row.decision_id.startsWith(text) || row.subject === text)
  );
}

function pageOf(decisions: FakeDecision[], query: URLSearchParams): { decisions: DecisionRow[]; next_cursor?: string } {
  const limit = Number(query.get("limit") ?? 50);
  const cursor = query.get("cursor");
  const from = cursor === null ? 0 : decisions.findIndex(({ row }) => row.decision_id === cursor) + 1;
  const found = decisions.slice(from).filter(({ row }) => matches(row, query));
  const rows = found.slice(0, limit).map(({ row }) => row);
  return found.length > limit ? { decisions: rows, next_cursor: rows.at(-1)!.decision_id } : { decisions: rows };
}

const fakeUseCases = [
  {
    name: "credit",
    kind: "score",
    risk: "high",
    data_class: "personal",
    owner: "lending",
    ladder: ["scorecard-7", "baseline", "refer:underwriters"],
    bundle: "9f2c41e07ab3",
    release: "four-eyes",
  },
  {
    name: "assistant",
    kind: "chat",
    risk: "limited",
    data_class: "internal",
    owner: "service-desk",
    ladder: ["qwen-small", "gpt-main", "extractive", "template"],
    bundle: "41ab90ee7f33",
    release: "one-person",
  },
  {
    name: "triage",
    kind: "chat",
    risk: "minimal",
    data_class: "internal",
    owner: "operations",
    ladder: ["qwen-small"],
    bundle: "c7730b15d2e9",
    release: "direct",
  },
];

const sessionOf = (options: FakeAdminOptions): Session => ({
  operator: { id: "op_01", name: "Ada", roles: options.roles ?? ["admin"] },
  csrf: "csrf-1",
  environment: "dev",
  install: "bank-example",
  version: "0.1.0",
  example: true,
});

/** Read once: a build that runs meanwhile empties the folder. */
const assets = new Map<string, Buffer>();

function loadAssets(): void {
  if (assets.size > 0 || !existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      assets.set(relative(dist, join(entry.parentPath, entry.name)), readFileSync(join(entry.parentPath, entry.name)));
}

function serveFile(path: string, response: ServerResponse): void {
  const name = path.slice("/console/".length);
  const found = assets.has(name) ? name : "index.html";
  const bytes = assets.get(found);
  if (bytes === undefined) return problem(response, 503, "internal", "The console is not built yet: run vite build.");
  response.writeHead(200, {
    "content-type": types[extname(found)] ?? "application/octet-stream",
    "content-security-policy": consolePolicy,
    "x-content-type-options": "nosniff",
    "cache-control": found.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-store",
  });
  response.end(bytes);
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

const problem = (response: ServerResponse, status: number, code: string, title: string, fix?: string): void =>
  json(response, status, {
    type: `https://weir.dev/errors/${code}`,
    title,
    status,
    detail: title,
    code,
    ...(fix === undefined ? {} : { fix }),
  });

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>);
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const fake = await startFakeAdmin({ port: Number(process.argv[2] ?? 4717), liveEveryMs: 400 });
  console.log(`console: ${fake.url}/console/#token=${fake.linkToken}   (or Ada / ${fake.password})`);
}
