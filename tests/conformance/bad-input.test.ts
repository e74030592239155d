/** Everything that a client can get wrong: a status, a stable code, words that help, a decision id; and never its content. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SettledMeta } from "../../src/kernel/decision.ts";
import { type ErrorCode, errorKinds } from "../../src/kernel/errors.ts";
import type { DecisionId } from "../../src/kernel/ids.ts";
import { findDecision } from "../../src/ledger/index.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";
import type { TestHouse } from "../fixtures/house.ts";
import { type Keys, applicant, startBadHouse } from "./bad-house.ts";
import { type RawAnswer, open, sendRaw } from "./raw-http.ts";

/** Stands for something personal: whatever a client sends as a value must not come back in an error, a log line or a metric. */
const marker = "MARTHA-4711-MUSTERFRAU";

let folder: string;
let house: TestHouse;
let keys: Keys;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-bad-"));
  mkdirSync(join(folder, "console"));
  writeFileSync(join(folder, "console", "index.html"), "<title>console</title>");
  writeFileSync(join(folder, "secret.txt"), "a secret beside the console");
  ({ house, keys } = await startBadHouse(join(folder, "console")));
});
afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true });
});

const decisions = "/v1/decisions/credit";
const chat = "/v1/chat/completions";
const infer = "/v2/models/credit/infer";

/** What a correct request to `credit` sends; a case changes one thing. Null leaves a header out. */
const good = (): Record<string, string> => ({
  authorization: `Bearer ${keys.good}`,
  "content-type": "application/json",
  "x-weir-subject": marker,
  "x-weir-consent": "loan-application-2026",
});

interface Case {
  name: string;
  path?: string;
  method?: string;
  headers?: Record<string, string | null> | (() => Record<string, string | null>);
  body?: string | Uint8Array | object;
  code: ErrorCode;
  /** What the message has to say. */
  says: RegExp;
  /** A decision had begun or was known: its refusal is in the ledger. Else it is counted only. */
  recorded?: boolean;
  extra?: (response: Response, body: string) => void;
}

const features = (change: object) => ({ ...applicant, features: { ...applicant.features, ...change } });
const raw = (text: string) => JSON.stringify(applicant).replace(/^\{/, `{${text}`);
const message = (content: unknown, more: object = {}) => ({
  model: "assistant",
  messages: [{ role: "user", content }],
  ...more,
});
const as = (key: keyof Keys) => () => ({ authorization: `Bearer ${keys[key]}` });
const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const allowed = (value: RegExp) => (response: Response) => expect(response.headers.get("allow")).toMatch(value);

const unreadable: Case[] = [
  {
    name: "a body cut short",
    body: `{"features":{"Home":"${marker}`,
    code: "malformed_json",
    says: /line 1, column \d+/,
  },
  { name: "a bare word", body: `{"features": ${marker}}`, code: "malformed_json", says: /line 1, column 14\b/ },
  {
    name: "a stray word on the third line",
    body: `{\n"a": 1,\n  ${marker}: 2}`,
    code: "malformed_json",
    says: /line 3, column 3\b/,
  },
  {
    name: "a missing comma",
    body: `{"a": "${marker}" "b": 1}`,
    code: "malformed_json",
    says: new RegExp(`line 1, column ${`{"a": "${marker}" `.length + 1}\\b`),
  },
  { name: "text after the value", body: `{} ${marker}`, code: "malformed_json", says: /line 1, column 4\b/ },
  { name: "NaN", body: `{"features":{"Income":NaN}}`, code: "malformed_json", says: /line 1, column 23\b/ },
  { name: "a trailing comma", body: `{"features":{},}`, code: "malformed_json", says: /line 1, column 16\b/ },
  { name: "single quotes", body: `{'features':1}`, code: "malformed_json", says: /line 1, column 2\b/ },
  { name: "an empty body", body: "", code: "malformed_json", says: /empty|line 1, column 1\b/ },
  {
    name: "a byte order mark",
    body: `\ufeff${JSON.stringify(applicant)}`,
    code: "malformed_json",
    says: /line 1, column 1\b/,
  },
  {
    name: "bytes that are not UTF-8",
    body: Buffer.concat([Buffer.from(`{"features":{"Home":"`), Buffer.from([0xff, 0xfe]), Buffer.from(`"}}`)]),
    code: "malformed_json",
    says: /UTF-8/,
  },
  { name: "an unclosed list 100,000 deep", body: "[".repeat(100_000), code: "malformed_json", says: /line 1/ },
  {
    name: "plain text",
    headers: { "content-type": "text/plain" },
    body: marker,
    code: "unsupported_media_type",
    says: /application\/json/,
  },
  {
    name: "a form",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `name=${marker}`,
    code: "unsupported_media_type",
    says: /application\/json/,
  },
  {
    name: "no content type",
    headers: { "content-type": "" },
    body: "{}",
    code: "unsupported_media_type",
    says: /application\/json/,
  },
  {
    name: "a type that only begins like JSON",
    headers: { "content-type": "application/jsonp" },
    body: "{}",
    code: "unsupported_media_type",
    says: /application\/json/,
  },
  {
    name: "a compressed body",
    headers: { "content-encoding": "gzip" },
    body: "{}",
    code: "unsupported_media_type",
    says: /gzip/,
  },
];

const callers: Case[] = [
  { name: "no key", headers: { authorization: null }, code: "unauthenticated", says: /credential/ },
  {
    name: "basic authentication",
    headers: { authorization: `Basic ${btoa(`${marker}:x`)}` },
    code: "unauthenticated",
    says: /credential/,
  },
  { name: "an empty bearer", headers: { authorization: "Bearer " }, code: "unauthenticated", says: /credential/ },
  {
    name: "a key of another house",
    headers: { authorization: `Bearer sk-${marker}` },
    code: "invalid_key",
    says: /not copied whole/,
  },
  { name: "a key copied without its end", headers: as("torn"), code: "invalid_key", says: /not copied whole/ },
  { name: "a key of an unknown id", headers: as("unknown"), code: "invalid_key", says: /not valid/ },
  { name: "a known id under another secret", headers: as("wrongSecret"), code: "invalid_key", says: /not valid/ },
  { name: "an expired key", headers: as("expired"), code: "expired_key", says: /expired/ },
  { name: "a revoked key", headers: as("revoked"), code: "revoked_key", says: /revoked/ },
  { name: "a key of another environment", headers: as("ofProd"), code: "wrong_environment", says: /"prod".*"dev"/ },
  { name: "an unknown use case", path: "/v1/decisions/nothing", code: "unknown_use_case", says: /"nothing"/ },
  {
    name: "a use case of another tenant",
    path: "/v1/decisions/elsewhere",
    code: "unknown_use_case",
    says: /"elsewhere"/,
  },
  { name: "a use case named __proto__", path: "/v1/decisions/__proto__", code: "unknown_use_case", says: /__proto__/ },
  {
    name: "a use case named constructor",
    path: "/v1/decisions/constructor",
    code: "unknown_use_case",
    says: /constructor/,
  },
  {
    name: "a chat model named __proto__",
    path: chat,
    body: message("hi", { model: "__proto__" }),
    code: "unknown_use_case",
    says: /__proto__/,
  },
  {
    name: "a use case with control characters",
    path: "/v1/decisions/%0d%0aset-cookie:x",
    code: "unknown_use_case",
    says: /\?\?set-cookie/,
  },
  { name: "an unknown route", path: "/v1/nothing", code: "route_not_found", says: /nothing at this path/ },
  {
    name: "a route with a broken escape",
    path: "/v1/decisions/%zz",
    code: "route_not_found",
    says: /nothing at this path/,
  },
  { name: "GET on a decision", method: "GET", code: "method_not_allowed", says: /method/, extra: allowed(/^POST$/) },
  {
    name: "DELETE on a chat",
    method: "DELETE",
    path: chat,
    code: "method_not_allowed",
    says: /method/,
    extra: allowed(/^POST$/),
  },
  { name: "OPTIONS", method: "OPTIONS", code: "method_not_allowed", says: /method/, extra: allowed(/^POST$/) },
  {
    name: "PATCH on the list of models",
    method: "PATCH",
    path: "/v1/models",
    code: "method_not_allowed",
    says: /method/,
    extra: allowed(/^GET$/),
  },
  {
    name: "a model that is not in the list",
    method: "GET",
    path: "/v1/models/nothing",
    code: "unknown_use_case",
    says: /use case/,
  },
];

const admitted: Case[] = [
  {
    name: "a use case that the key has no right to",
    headers: as("narrow"),
    code: "use_case_not_allowed",
    says: /"credit"/,
  },
  {
    name: "a condition that does not hold",
    path: "/v1/decisions/branches-only",
    code: "condition_not_met",
    says: /principal\.groups/,
  },
  {
    name: "a chat use case on the decisions route",
    path: "/v1/decisions/assistant",
    code: "kind_mismatch",
    says: /\/v1\/chat\/completions/,
  },
  {
    name: "a score use case on the chat route",
    path: chat,
    body: message("hi", { model: "credit" }),
    code: "kind_mismatch",
    says: /\/v1\/decisions/,
  },
  {
    name: "a score use case on the messages route",
    path: "/v1/messages",
    body: message("hi", { model: "credit", max_tokens: 5 }),
    code: "kind_mismatch",
    says: /\/v1\/decisions/,
  },
  { name: "no subject", headers: { "x-weir-subject": null }, code: "subject_required", says: /subject/ },
  { name: "an empty subject", headers: { "x-weir-subject": "" }, code: "subject_required", says: /subject/ },
  { name: "no consent", headers: { "x-weir-consent": null }, code: "consent_required", says: /consent/ },
  {
    name: "a consent that nobody gave",
    headers: { "x-weir-consent": marker },
    code: "consent_not_valid",
    says: /not known/,
  },
  {
    name: "a consent named constructor",
    headers: { "x-weir-consent": "constructor" },
    code: "consent_not_valid",
    says: /not known/,
  },
  {
    name: "a consent that has ended",
    headers: { "x-weir-consent": "ended" },
    code: "consent_not_valid",
    says: /not in force/,
  },
  {
    name: "a consent for something else",
    headers: { "x-weir-consent": "for-marketing" },
    code: "consent_not_valid",
    says: /credit-check/,
  },
  {
    name: "another person's consent",
    headers: { "x-weir-consent": "of-another" },
    code: "consent_not_valid",
    says: /another subject/,
  },
  {
    name: "another tenant's consent",
    headers: { "x-weir-consent": "otherbanks" },
    code: "consent_not_valid",
    says: /not known/,
  },
  {
    name: "no purpose where there are two",
    path: "/v1/decisions/two-purposes",
    code: "purpose_required",
    says: /credit-check, marketing/,
  },
  {
    name: "a purpose that is not allowed",
    headers: { "x-weir-purpose": marker },
    code: "purpose_not_allowed",
    says: /credit-check/,
  },
  {
    name: "a purpose named __proto__",
    headers: { "x-weir-purpose": "__proto__" },
    code: "purpose_not_allowed",
    says: /credit-check/,
  },
  {
    name: "a purpose that the key may not state",
    path: "/v1/decisions/two-purposes",
    headers: () => ({ ...as("marketing")(), "x-weir-purpose": "credit-check" }),
    code: "purpose_not_allowed",
    says: /./,
  },
  {
    name: "an idempotency key that is too long",
    headers: { "idempotency-key": "k".repeat(256) },
    code: "invalid_request",
    says: /1 to 255/,
  },
  {
    name: "a card number where cards are blocked",
    path: chat,
    body: message("my card is 4111 1111 1111 1111", { model: "careful" }),
    code: "input_blocked",
    says: /card|guard/i,
  },
  {
    name: "an answer that a guard blocks",
    path: chat,
    body: message("How do I write to the branch in Lindau?", { model: "talkative" }),
    code: "output_blocked",
    says: /guard/i,
  },
  {
    name: "a vendor in a region that the tenant forbids",
    path: chat,
    body: message("hi", { model: "nowhere" }),
    code: "nothing_eligible",
    says: /region_not_allowed/,
  },
  {
    name: "a budget that does not hold one answer",
    path: chat,
    headers: as("poor"),
    body: message("hi", { model: "costly" }),
    code: "budget_exhausted",
    says: /budget/,
  },
];

const inputs: Case[] = [
  ...(
    [
      ["null as body", "null", /object/],
      ["a list as body", "[]", /object/],
      ["a string as body", `"${marker}"`, /object/],
      ["no features", {}, /features/],
      ["a list as features", { features: [marker] }, /features/],
      ["a field beside features", { ...applicant, subject: marker }, /subject: is not a field beside/],
      ["a field almost right", { ...applicant, protectd: marker }, /did you mean protected\?/],
      ["an unknown feature", features({ Incme: marker }), /Incme: is not in contract applicant; did you mean Income\?/],
      ["a protected feature among the others", features({ Age: 44 }), /Age: is a protected feature/],
      ["a number as text", features({ Amount: marker }), /Amount: must be a number/],
      ["NaN as text", features({ Amount: "NaN" }), /Amount: must be a number/],
      ["true as a number", features({ Amount: true }), /Amount: must be a number/],
      ["a list as a number", features({ Amount: [marker] }), /Amount: must be a number/],
      ["null where it is not nullable", features({ Amount: null }), /Amount: must not be null/],
      ["a number out of range", features({ Amount: 1e308 }), /Amount: must be from 1 to 50000/],
      [
        "a number that no double holds",
        JSON.stringify(applicant).replace(/"Amount":\d+/, '"Amount":1e999'),
        /Amount: must be finite/,
      ],
      ["a negative number", features({ Income: -1 }), /Income: must be from 0 to 10000/],
      ["an unknown category", features({ Home: marker }), /Home: must be one of owner, priv/],
      ["a category named __proto__", features({ Home: "__proto__" }), /Home: must be one of/],
      [
        "a lone surrogate",
        JSON.stringify(applicant).replace(/"Home":"[a-z]+"/, '"Home":"\\ud800"'),
        /Home: must be one of/,
      ],
      ["an empty category", features({ Home: "" }), /Home: must not be empty/],
      ["__proto__ beside features", raw(`"__proto__":{"polluted":"${marker}"},`), /__proto__: is not a field/],
      [
        "__proto__ as a feature",
        JSON.stringify(applicant).replace('"features":{', `"features":{"__proto__":{"polluted":"${marker}"},`),
        /__proto__: is not in contract/,
      ],
      ["constructor as a feature", features({ constructor: { prototype: marker } }), /constructor: is not in contract/],
      [
        "__proto__ as a protected feature",
        `{"features":${JSON.stringify(applicant.features)},"protected":{"__proto__":{"a":1}}}`,
        /__proto__: is not a protected feature/,
      ],
      [
        "a value 100,000 lists deep",
        JSON.stringify(applicant).replace(/"Amount":\d+/, `"Amount":${deep(100_000)}`),
        /Amount: must be a number/,
      ],
      ["a field 100,000 lists deep", raw(`"more":${deep(100_000)},`), /more: is not a field/],
      [
        "thousands of unknown features",
        features(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, marker]))),
        /and 15 more/,
      ],
    ] as [string, object | string, RegExp][]
  ).map(([name, body, says]): Case => ({ name, body, code: "invalid_input", says })),
  {
    name: "a chat without messages",
    path: chat,
    body: { model: "assistant" },
    code: "invalid_request",
    says: /messages/,
    recorded: false,
  },
  {
    name: "a chat without model",
    path: chat,
    body: { messages: [] },
    code: "invalid_request",
    says: /model/,
    recorded: false,
  },
  {
    name: "a chat whose message is a number",
    path: chat,
    body: message(4711),
    code: "invalid_request",
    says: /messages/,
    recorded: false,
  },
  {
    name: "a chat with an unknown role",
    path: chat,
    body: { model: "assistant", messages: [{ role: marker, content: "hi" }] },
    code: "invalid_request",
    says: /role/,
    recorded: false,
  },
  { name: "a chat that is a list", path: chat, body: "[]", code: "invalid_request", says: /./, recorded: false },
  {
    name: "an Anthropic message without max_tokens",
    path: "/v1/messages",
    body: message("hi"),
    code: "invalid_request",
    says: /max_tokens/,
    recorded: false,
  },
  {
    name: "an outcome of no decision",
    path: "/v1/outcomes",
    body: { decision_id: "dec_0000000000000000000000000a", outcome_id: "o1", label: "repaid" },
    code: "unknown_decision",
    says: /./,
    recorded: false,
  },
  {
    name: "an outcome with a field too many",
    path: "/v1/outcomes",
    body: { decision_id: "dec_0000000000000000000000000a", outcome_id: "o1", label: "repaid", who: marker },
    code: "invalid_request",
    says: /who/,
    recorded: false,
  },
  {
    name: "an outcome for what is no decision id",
    path: "/v1/outcomes",
    body: { decision_id: marker, outcome_id: "o1", label: "repaid" },
    code: "invalid_request",
    says: /decision_id/,
    recorded: false,
  },
];

const table: Case[] = [
  ...unreadable.map((entry) => ({ recorded: false, ...entry })),
  ...callers.map((entry) => ({ recorded: false, ...entry })),
  ...admitted.map((entry) => ({ recorded: true, ...entry })),
  ...inputs.map((entry) => ({ recorded: true, ...entry })),
];

function send({
  path = decisions,
  method = "POST",
  headers,
  body = applicant,
}: Omit<Case, "name" | "code" | "says">): Promise<Response> {
  const merged: Record<string, string> = good();
  for (const [name, value] of Object.entries(typeof headers === "function" ? headers() : (headers ?? {})))
    if (value === null) delete merged[name];
    else merged[name] = value;
  const bytes =
    typeof body === "string"
      ? Buffer.from(body)
      : body instanceof Uint8Array
        ? body
        : Buffer.from(JSON.stringify(body));
  return fetch(house.origin + path, {
    method,
    headers: merged,
    ...(method === "POST" && { body: bytes as Uint8Array<ArrayBuffer> }),
  });
}

interface Problem {
  code: string;
  said: string;
  fix?: string;
}

/** Each surface's own envelope, the same codes in it. */
function problemIn(body: string): Problem {
  const parsed = JSON.parse(body) as {
    code?: string;
    detail?: string;
    fix?: string;
    error?: { code?: string; message?: string };
  };
  if (parsed.error) return { code: parsed.error.code ?? "", said: parsed.error.message ?? "" };
  return { code: parsed.code ?? "", said: parsed.detail ?? "", ...(parsed.fix !== undefined && { fix: parsed.fix }) };
}

const decisionId = /^dec_[0-9a-hjkmnp-tv-z]{26}$/;

async function settledOf(decision: string): Promise<SettledMeta | undefined> {
  await house.house.journal.flush();
  const dir = house.house.paths.ledger;
  const entries = await findDecision({ dir, files: nodeFiles, node: "server", decision: decision as DecisionId });
  return entries.find(({ entry }) => entry.kind === "settled")?.entry.meta as unknown as SettledMeta | undefined;
}

describe("each mistake has its answer", () => {
  it.each(table)("$code: $name", async (given) => {
    const response = await send(given);
    const body = await response.text();
    expect(response.status, body).toBe(errorKinds[given.code].status);
    const isChat = given.path === chat || given.path === "/v1/messages" || given.path?.startsWith("/v1/models");
    expect(response.headers.get("content-type")).toBe(isChat ? "application/json" : "application/problem+json");
    const problem = problemIn(body);
    // Anthropic's envelope has no place for a code: its type says the class, the message says the rest.
    if (given.path !== "/v1/messages") expect(problem.code).toBe(given.code);
    expect(problem.said).toMatch(given.says);
    if (!isChat) expect(problem.fix).toBe(errorKinds[given.code].fix);
    expect(body.length).toBeLessThan(2000);
    expect(body).not.toContain(marker);
    const decision = response.headers.get("x-weir-decision-id") ?? "";
    expect(decision).toMatch(decisionId);
    given.extra?.(response, body);
    const settled = await settledOf(decision);
    if (given.recorded) expect(settled).toMatchObject({ code: given.code, status: response.status });
    else expect(settled).toBeUndefined();
  });

  it.each(["/v1/models", "/v1/models/credit", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/credit"])(
    "an id stands on good answers too: %s",
    async (path) => {
      const response = await send({ method: "GET", path });
      await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
    },
  );

  it("answers HEAD without a body", async () => {
    const response = await send({ method: "HEAD" });
    expect(response.status).toBe(405);
    expect(await response.text()).toBe("");
    expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
  });

  it("takes the last of two equal names, and the record says what the model saw", async () => {
    const twice = JSON.stringify(applicant).replace('"Amount":', '"Amount":49999,"Amount":');
    const [doubled, plain] = [await send({ body: twice }), await send({})];
    expect(doubled.status).toBe(200);
    const score = async (response: Response) => ((await response.json()) as { score: number }).score;
    expect(await score(doubled)).toBe(await score(plain));
  });

  it("serves a chat with lone surrogates and records it", async () => {
    const body = JSON.stringify(message("hours? X")).replace("X", "\\ud800");
    const response = await send({ path: chat, body });
    expect(response.status).toBe(200);
    expect(await settledOf(response.headers.get("x-weir-decision-id")!)).toMatchObject({ state: "answered" });
  });

  it.each([
    ["a tool's parameters", `"tools":[{"type":"function","function":{"name":"f","parameters":{"a":${deep(50_000)}}}}]`],
    ["metadata", `"metadata":{"a":${deep(50_000)}}`],
    ["an unknown field", `"more":${deep(50_000)}`],
  ])("never fails on 50,000 nested lists in %s", async (_, text) => {
    const body = JSON.stringify(message("opening hours?")).replace(/^\{/, `{${text},`);
    const response = await send({ path: chat, body });
    await response.text();
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
  });

  it("left no prototype changed", () => {
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });
});

describe("Open Inference V2 says no in its own shape", () => {
  const tensor = (name: string, data: unknown[], datatype = typeof data[0] === "string" ? "BYTES" : "FP64") => ({
    name,
    shape: [data.length, 1],
    datatype,
    data,
  });
  const row = (change: object = {}, rows = 1) => ({
    inputs: Object.entries({ ...applicant.features, ...change }).map(([name, value]) =>
      tensor(
        name,
        Array.from({ length: rows }, () => value),
      ),
    ),
  });
  const cases: (Omit<Case, "body"> & { body: () => unknown })[] = [
    {
      name: "malformed JSON",
      body: () => `{"inputs": [${marker}]}`,
      code: "malformed_json",
      says: /line 1, column 13\b/,
    },
    { name: "no inputs", body: () => ({}), code: "invalid_request", says: /inputs/ },
    { name: "an unknown field", body: () => ({ ...row(), who: marker }), code: "invalid_request", says: /who/ },
    {
      name: "an unknown tensor",
      body: () => ({ inputs: [...row().inputs, tensor("Incme", [1])] }),
      code: "invalid_request",
      says: /Incme/,
    },
    { name: "text as FP64", body: () => row({ Amount: marker }), code: "invalid_request", says: /Amount/ },
    { name: "a category that is not known", body: () => row({ Home: marker }), code: "invalid_input", says: /Home/ },
    {
      name: "many rows where each needs consent",
      headers: { "x-weir-subject": null },
      body: () => row({}, 2),
      code: "unsupported_feature",
      says: /one row per request/,
    },
    {
      name: "another version",
      path: "/v2/models/credit/versions/0/infer",
      body: () => row(),
      code: "not_found",
      says: /ersion/,
    },
    {
      name: "an unknown model",
      path: "/v2/models/nothing/infer",
      body: () => row(),
      code: "unknown_use_case",
      says: /use case/,
    },
    {
      name: "a chat use case",
      path: "/v2/models/assistant/infer",
      body: () => row(),
      code: "kind_mismatch",
      says: /\/v1\/chat/,
    },
    { name: "no key", headers: { authorization: null }, body: () => row(), code: "unauthenticated", says: /API key/ },
  ];
  it.each(cases)("$code: $name", async ({ body, ...given }) => {
    const response = await send({ path: infer, ...given, body: body() as object });
    const text = await response.text();
    expect(response.status, text).toBe(errorKinds[given.code].status);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
    const answer = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual(["error"]);
    expect(answer["error"]).toMatch(given.says);
    expect(answer["error"]).toContain(errorKinds[given.code].fix);
    expect(text).not.toContain(marker);
  });
});

describe("too much at once", () => {
  it("rate_limited: the second request of a minute, with the honest wait", async () => {
    const path = "/v1/decisions/once";
    expect((await send({ path })).status).toBe(200);
    const second = await send({ path });
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({
      code: "rate_limited",
      detail: "Over 1 requests a minute for this use case.",
    });
    const wait = Number(second.headers.get("retry-after"));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(await settledOf(second.headers.get("x-weir-decision-id")!)).toMatchObject({
      state: "refused",
      code: "rate_limited",
    });
  });

  /** Both in one packet: the second is read while the first waits for the disk. */
  async function together(path: string, body: object): Promise<string> {
    const text = JSON.stringify(body);
    const request = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keys.good}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n`;
    const exchange = open(house.origin);
    exchange.send(`${request}\r\n${text}${request}connection: close\r\n\r\n${text}`);
    return exchange.closed;
  }

  it.each([
    ["token_limited", chat, message(`${marker} `.repeat(500), { model: "few-tokens" })],
    ["concurrency_limited", "/v1/decisions/one-at-once", applicant],
  ])("%s: one of two requests that arrive together", async (code, path, body) => {
    const received = await together(path, body);
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 429"]);
    expect(received).toContain(`"code":"${code}"`);
    expect(received.toLowerCase()).toMatch(/retry-after: [1-9]/);
    expect(received).not.toContain(marker);
    expect(house.house.limits.running).toBe(0);
  });
});

function expectProblem(answer: RawAnswer, code: ErrorCode): void {
  expect(answer.status).toBe(errorKinds[code].status);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(JSON.parse(answer.body)).toMatchObject({ code, status: answer.status, fix: errorKinds[code].fix });
  expect(answer.body).not.toContain(marker);
  expect(answer.headers["x-weir-decision-id"]).toMatch(decisionId);
}

describe("requests that no client library sends", () => {
  const head = (more: string, path = decisions) =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keys.good}\r\ncontent-type: application/json\r\nx-weir-subject: ${marker}\r\nx-weir-consent: loan-application-2026\r\n${more}\r\n`;

  it.each([
    ["no HTTP at all", () => `${marker}\r\n\r\n`],
    ["a header without a colon", () => `GET /v1/models HTTP/1.1\r\nhost: x\r\n${marker}\r\n\r\n`],
    ["a header with a control character", () => `GET /v1/models HTTP/1.1\r\nhost: x\r\na: \u0001${marker}\r\n\r\n`],
    ["length and chunks at once", () => head("content-length: 2\r\ntransfer-encoding: chunked\r\n") + "{}"],
    ["two lengths", () => head("content-length: 2\r\ncontent-length: 3\r\n") + "{}"],
    ["a length that is no number", () => head("content-length: -1\r\n") + "{}"],
    ["a chunk whose size is no number", () => `${head("transfer-encoding: chunked\r\n")}zz\r\n{}\r\n0\r\n\r\n`],
    ["a version that does not exist", () => `GET /v1/models HTTP/9.9\r\nhost: x\r\n\r\n`],
    ["no host", () => "GET /v1/models HTTP/1.1\r\n\r\n"],
  ])("malformed_request: %s", async (_, text) => {
    expectProblem(await sendRaw(house.origin, text()), "malformed_request");
  });

  it.each([
    ["one of 20 KB", () => `x-long: ${marker.repeat(1000)}\r\n`],
    ["a thousand of them", () => Array.from({ length: 1500 }, (_, i) => `x-${i}: ${marker}\r\n`).join("")],
  ])("headers_too_large: %s", async (_, more) => {
    expectProblem(await sendRaw(house.origin, head(more())), "headers_too_large");
  });

  it.each([
    ["a decision", decisions, 1],
    ["an outcome", "/v1/outcomes", 4],
    ["an inference", infer, 4],
    ["a chat", chat, 8],
  ])("body_too_large: %s of 10 MB is refused before it was sent", async (_, path, megabytes) => {
    const exchange = open(house.origin);
    exchange.send(head("content-length: 10485760\r\n", path) + marker);
    const { status, headers, body } = await exchange.answer;
    expect(status).toBe(413);
    expect(headers["x-weir-decision-id"]).toMatch(decisionId);
    expect(headers["connection"]).toBe("close");
    expect(body).toContain(String(megabytes * 1024 * 1024));
    expect(body).not.toContain(marker);
    await exchange.closed;
  });

  it("body_too_large: a body without a length is cut off at the limit, not read on", async () => {
    const exchange = open(house.origin);
    exchange.send(head("transfer-encoding: chunked\r\n"));
    const chunk = `40000\r\n${"x".repeat(0x40000)}\r\n`;
    // 1.25 of 10 MB, and then silence: only a server that counts can answer now.
    for (let sent = 0; sent < 5; sent++) exchange.send(chunk);
    expectProblem(await exchange.answer, "body_too_large");
    await exchange.closed;
  });

  it("goes on serving others", async () => {
    expect((await send({})).status).toBe(200);
  });
});

describe("the console's folder", () => {
  it.each([
    "/console/../secret.txt",
    "/console/%2e%2e/secret.txt",
    "/console/..%2fsecret.txt",
    "/console/..\\secret.txt",
    "/console/....//secret.txt",
    "/console//../../secret.txt",
    "/console/index.html/../../secret.txt",
    "/console/%00secret.txt",
    "//console/../secret.txt",
    "/../secret.txt",
  ])("is not left by %s", async (path) => {
    const { status, body } = await sendRaw(
      house.origin,
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    expect(status).toBe(404);
    expect(body).not.toContain("secret beside");
  });

  it("is read only", async () => {
    const response = await fetch(`${house.origin}/console/`, { method: "PUT", body: marker });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("what is left of all that", () => {
  it("nothing personal in the log, in the metrics, or in the list of decisions", async () => {
    expect(house.logged.join("")).not.toContain(marker);
    const metrics = await (await fetch(`${house.opsOrigin}/metrics`)).text();
    expect(metrics).toContain("weir_refusals_total");
    expect(metrics).not.toContain(marker);
    const { rows } = await house.house.index.list({}, undefined, 1000);
    expect(rows.length).toBeGreaterThan(20);
    expect(JSON.stringify(rows)).not.toContain(marker);
  });

  it("nothing personal and no key in any file of the data directory", async () => {
    await house.house.journal.checkpoint();
    const files = readdirSync(house.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(5);
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name));
      for (const secret of [marker, keys.good.split("_")[3]!, "4111 1111 1111 1111"])
        expect(bytes.includes(secret), `${name} holds ${secret}`).toBe(false);
    }
  });

  it("no fault was logged: every mistake was expected", () => {
    expect(house.logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  it("no place and no money is held", () => {
    expect(house.house.limits.running).toBe(0);
    expect(house.house.money.held).toBe(0);
  });

  it("draining: a request that arrives while the server stops is told so, the one before it is answered", async () => {
    const leaving = await startBadHouse();
    const text = JSON.stringify(applicant);
    const exchange = open(leaving.house.origin);
    const headers = `host: x\r\nauthorization: Bearer ${leaving.keys.good}\r\ncontent-type: application/json\r\nx-weir-subject: a\r\nx-weir-consent: loan-application-2026\r\ncontent-length: ${text.length}\r\n`;
    exchange.send(`POST ${decisions} HTTP/1.1\r\n${headers}expect: 100-continue\r\n\r\n`);
    await exchange.continued;
    const stopped = leaving.house.stop(5000);
    exchange.send(`${text}POST ${decisions} HTTP/1.1\r\n${headers}\r\n${text}`);
    const received = await exchange.closed;
    await stopped;
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200", "HTTP/1.1 503"]);
    expect(received).toContain('"code":"draining"');
    expect(received.toLowerCase()).toContain("retry-after: 1");
  });
});
