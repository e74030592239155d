/** The mistakes that clients make over HTTP, each with the code and the words that it is answered with. */
import type { ErrorCode } from "../../src/kernel/errors.ts";
import { type Keys, applicant, marker } from "./bad-house.ts";

export const decisions = "/v1/decisions/credit";
export const chat = "/v1/chat/completions";
export const infer = "/v2/models/credit/infer";

export interface Case {
  name: string;
  path?: string;
  method?: string;
  headers?: Record<string, string | null> | ((keys: Keys) => Record<string, string | null>);
  body?: string | Uint8Array | object;
  code: ErrorCode;
  /** What the message has to say. */
  says: RegExp;
  /** A decision had begun or was known: its refusal is in the ledger. Else it is counted only. */
  recorded?: boolean;
  allow?: RegExp;
}

const features = (change: object) => ({ ...applicant, features: { ...applicant.features, ...change } });
const raw = (text: string) => JSON.stringify(applicant).replace(/^\{/, `{${text}`);
export const message = (content: unknown, more: object = {}) => ({
  model: "assistant",
  messages: [{ role: "user", content }],
  ...more,
});
const as = (key: keyof Keys) => (keys: Keys) => ({ authorization: `Bearer ${keys[key]}` });
export const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

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
    name: "a body packed in a way that nobody knows",
    headers: { "content-encoding": "snappy" },
    body: "{}",
    code: "unsupported_media_type",
    says: /snappy/,
  },
  {
    name: "a body that is not packed as it says",
    headers: { "content-encoding": "gzip" },
    body: "{}",
    code: "malformed_request",
    says: /content-encoding/,
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
  { name: "GET on a decision", method: "GET", code: "method_not_allowed", says: /method/, allow: /^POST$/ },
  {
    name: "DELETE on a chat",
    method: "DELETE",
    path: chat,
    code: "method_not_allowed",
    says: /method/,
    allow: /^POST$/,
  },
  { name: "OPTIONS", method: "OPTIONS", code: "method_not_allowed", says: /method/, allow: /^POST$/ },
  {
    name: "PATCH on the list of models",
    method: "PATCH",
    path: "/v1/models",
    code: "method_not_allowed",
    says: /method/,
    allow: /^GET$/,
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
    headers: (keys) => ({ ...as("marketing")(keys), "x-weir-purpose": "credit-check" }),
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

export const table: Case[] = [
  ...unreadable.map((entry) => ({ recorded: false, ...entry })),
  ...callers.map((entry) => ({ recorded: false, ...entry })),
  ...admitted.map((entry) => ({ recorded: true, ...entry })),
  ...inputs.map((entry) => ({ recorded: true, ...entry })),
];
