import { createVerify, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { Cancellation } from "../../kernel/signal.ts";
import type { VendorAuth, VendorTarget } from "../../kernel/snapshot.ts";
import { credentialsFor } from "./credentials.ts";
import { type Upstream, UpstreamFault, type UpstreamRequest } from "./upstream.ts";
import { addressOf } from "./vendor-address.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const account = (over: object = {}) =>
  JSON.stringify({
    type: "service_account",
    client_email: "weir@project.iam.gserviceaccount.com",
    private_key_id: "kid-1",
    private_key: pem,
    token_uri: "https://oauth2.example/token",
    ...over,
  });

const vendorWith = (auth: VendorAuth): VendorTarget => ({
  name: "v",
  dialect: "gemini",
  baseUrl: "https://v.example",
  auth,
  keys: [],
  region: "eu",
  dataClass: "internal",
  timeouts: { connectMs: 10, firstByteMs: 20, idleMs: 30 },
  quirks: {},
});

const request = { method: "POST", url: new URL("https://v.example/m"), headers: {}, body: "{}" };

type Answer = { status: number; body: unknown } | UpstreamFault;

/** A token endpoint that answers what is given, in turn, when it is told to. */
function endpoint(...answers: Answer[]) {
  const asked: UpstreamRequest[] = [];
  const gates: (() => void)[] = [];
  const upstream: Upstream = {
    async send(sent) {
      asked.push(sent);
      const answer = answers[Math.min(asked.length, answers.length) - 1]!;
      await new Promise<void>((open) => gates.push(open));
      if (answer instanceof UpstreamFault) throw answer;
      const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
      return {
        status: answer.status,
        headers: {},
        body: (async function* () {})(),
        whole: async () => Buffer.from(text),
        finish() {},
        cancel() {},
      };
    },
    close: async () => {},
  };
  return { upstream, asked, answer: () => gates.shift()!() };
}

const token = (name: string, expires = 3600) => ({ status: 200, body: { access_token: name, expires_in: expires } });
const google = vendorWith({ type: "google-service-account" });

function use(secret: string, vendor: { upstream: Upstream }, clock = new VirtualClock()) {
  const key = { id: "v#1", secret };
  const signal = new Cancellation();
  return {
    clock,
    signal,
    ask: (own = signal) => credentialsFor(google, key, request, { clock, upstream: vendor.upstream, signal: own }),
  };
}

describe("keys that are shown as they are", () => {
  const ports = { clock: new VirtualClock(), upstream: endpoint().upstream, signal: new Cancellation() };
  it.each<[VendorAuth, Record<string, string>]>([
    [{ type: "none" }, {}],
    [{ type: "bearer" }, { authorization: "Bearer s" }],
    [{ type: "header", name: "api-key" }, { "api-key": "s" }],
  ])("%o, at once", (auth, headers) => {
    expect(credentialsFor(vendorWith(auth), { id: "v#1", secret: "s" }, request, ports)).toEqual(headers);
    expect(credentialsFor(vendorWith(auth), undefined, request, ports)).toEqual({});
  });

  const aws = vendorWith({ type: "aws-sigv4", region: "eu-west-1", service: "bedrock" });
  it("AWS's sign the request, with their session token", () => {
    const headers = credentialsFor(aws, { id: "v#1", secret: "AKID:secret:token" }, request, ports);
    expect(headers).toMatchObject({ "x-amz-date": "20260101T000000Z", "x-amz-security-token": "token" });
    expect(headers).toHaveProperty("authorization", expect.stringContaining("AKID/20260101/eu-west-1/bedrock/"));
  });

  it("AWS's that are none fail without a word of them", () => {
    const sign = () => credentialsFor(aws, { id: "v#1", secret: "hush-hush" }, request, ports);
    expect(sign).toThrow(expect.objectContaining({ reason: "credentials_failed" }));
    expect(wordsOf(sign)).not.toContain("hush");
  });
});

function wordsOf(act: () => unknown): string {
  try {
    act();
  } catch (fault) {
    return wordsIn(fault);
  }
  throw new Error("it did not fail");
}

const wordsIn = (fault: unknown): string => {
  const { message, stack, cause } = fault as Error;
  return `${message} ${stack} ${cause === undefined ? "" : wordsIn(cause)}`;
};

describe("a Google service account", () => {
  it("exchanges a signed claim for a token, and uses it until two minutes before it expires", async () => {
    const vendor = endpoint(token("t1"), token("t2"));
    const { clock, ask } = use(account(), vendor);
    const first = ask();
    expect(first).toBeInstanceOf(Promise);
    vendor.answer();
    expect(await first).toEqual({ authorization: "Bearer t1" });
    await clock.advance(3479 * 1000);
    expect(ask()).toEqual({ authorization: "Bearer t1" });
    await clock.advance(1000);
    const second = ask();
    vendor.answer();
    expect(await second).toEqual({ authorization: "Bearer t2" });
    expect(vendor.asked).toHaveLength(2);
  });

  it("claims what Google asks for, for an hour, and signs it", () => {
    const vendor = endpoint(token("t"));
    const { clock, ask } = use(account(), vendor);
    void ask();
    const [sent] = vendor.asked;
    expect(sent).toMatchObject({
      url: new URL("https://oauth2.example/token"),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      timeouts: { connectMs: 10, firstByteMs: 20, idleMs: 30, totalMs: 10_000 },
    });
    const form = new URLSearchParams(String(sent!.body));
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [header, claims, signature] = form.get("assertion")!.split(".") as [string, string, string];
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as unknown;
    const now = clock.now() / 1000;
    expect(read(header)).toEqual({ alg: "RS256", typ: "JWT", kid: "kid-1" });
    expect(read(claims)).toEqual({
      iss: "weir@project.iam.gserviceaccount.com",
      scope: "https://www.googleapis.com/auth/cloud-platform",
      aud: "https://oauth2.example/token",
      iat: now,
      exp: now + 3600,
    });
    const verify = createVerify("sha256").update(`${header}.${claims}`);
    expect(verify.verify(publicKey, signature, "base64url")).toBe(true);
  });

  it("asks once for all calls that wait", async () => {
    const vendor = endpoint(token("t1"));
    const { ask } = use(account(), vendor);
    const waiting = [ask(), ask(), ask()];
    vendor.answer();
    expect(await Promise.all(waiting)).toEqual(Array(3).fill({ authorization: "Bearer t1" }));
    expect(vendor.asked).toHaveLength(1);
  });

  it("lets a call that gave up go, and serves the others", async () => {
    const vendor = endpoint(token("t1"));
    const { ask, signal } = use(account(), vendor);
    const gone = ask();
    const stays = ask(new Cancellation());
    signal.abort("client_gone");
    await expect(gone).rejects.toMatchObject({ reason: "aborted" });
    await expect(ask()).rejects.toMatchObject({ reason: "aborted" });
    vendor.answer();
    expect(await stays).toEqual({ authorization: "Bearer t1" });
  });

  it.each<[string, Answer, RegExp]>([
    ["is refused", { status: 400, body: { error: "invalid_grant", error_description: "hush" } }, /400: invalid_grant/],
    ["is told nonsense", { status: 500, body: "<html>hush" }, /answered 500/],
    ["gets no token", { status: 200, body: { token: "hush" } }, /gave no token/],
    ["gets a token with a line break", token("hush\r\nx: y"), /gave no token/],
    ["reaches nobody", new UpstreamFault("connect_timeout"), /could not be reached \(connect_timeout\)/],
  ])("that %s fails, says why and nothing secret, and may try again", async (_, answer, why) => {
    const vendor = endpoint(answer, token("t2"));
    const { ask } = use(account(), vendor);
    const first = Promise.resolve(ask());
    vendor.answer();
    const fault: unknown = await first.catch((reason: unknown) => reason);
    expect(fault).toMatchObject({ name: "UpstreamFault", reason: "credentials_failed" });
    expect(wordsIn(fault)).toMatch(why);
    expect(wordsIn(fault)).not.toMatch(/hush|PRIVATE|assertion|eyJ/);
    const second = ask();
    vendor.answer();
    expect(await second).toEqual({ authorization: "Bearer t2" });
  });

  it.each([
    ["no JSON", "hush", /no service account/],
    ["no private key", account({ private_key: undefined }), /no service account/],
    [
      "a broken private key",
      account({ private_key: "-----BEGIN PRIVATE KEY-----\nhush\n" }),
      /private_key or token_uri/,
    ],
    ["no address", account({ token_uri: "hush" }), /private_key or token_uri/],
  ])("with %s fails before anything is sent", async (_, secret, why) => {
    const vendor = endpoint(token("t"));
    const fault: unknown = await Promise.resolve(use(secret, vendor).ask()).catch((reason: unknown) => reason);
    expect(fault).toMatchObject({ reason: "credentials_failed" });
    expect(wordsIn(fault)).toMatch(why);
    expect(wordsIn(fault)).not.toContain("hush");
    expect(vendor.asked).toEqual([]);
  });

  it("uses a short-lived token for half of its life", async () => {
    const vendor = endpoint(token("t1", 60), token("t2"));
    const { clock, ask } = use(account(), vendor);
    const first = ask();
    vendor.answer();
    await first;
    await clock.advance(29_000);
    expect(ask()).toEqual({ authorization: "Bearer t1" });
    await clock.advance(2_000);
    expect(ask()).toBeInstanceOf(Promise);
    vendor.answer();
  });
});

describe("a vendor's address", () => {
  it.each([
    [{ baseUrl: "https://v/v1" }, "/chat", "m", "https://v/v1/chat"],
    [{ baseUrl: "https://v/d/{model}" }, "/chat", "a b/c", "https://v/d/a%20b%2Fc/chat"],
    [{ baseUrl: "https://v", query: "api-version=1" }, "/chat", "m", "https://v/chat?api-version=1"],
    [{ baseUrl: "https://v", query: "api-version=1" }, "/m:s?alt=sse", "m", "https://v/m:s?alt=sse&api-version=1"],
    [{ baseUrl: "https://v" }, "/model/a%3A0/converse", "a:0", "https://v/model/a%3A0/converse"],
  ])("%o and %s", (vendor, path, model, address) => expect(addressOf(vendor, path, model).href).toBe(address));
});
