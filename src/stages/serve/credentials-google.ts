/**
 * Access tokens of Google service accounts: a signed claim (RFC 7523) is exchanged for one, which is then used until
 * shortly before it expires. Calls that need one at the same time share one exchange.
 */
import { type KeyObject, createPrivateKey, sign } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import { Cancellation, type Signal } from "../../kernel/signal.ts";
import type { VendorKey, VendorTimeouts } from "../../kernel/snapshot.ts";
import { type Upstream, UpstreamFault } from "./upstream.ts";

export interface TokenPorts {
  clock: Clock;
  upstream: Upstream;
  timeouts: VendorTimeouts;
  /** Of the call that waits; the exchange itself goes on for the others. */
  signal: Signal;
}

interface Account {
  email: string;
  keyId: string | undefined;
  tokenUrl: URL;
  privateKey: KeyObject;
}

interface TokenState {
  account?: Account;
  token?: string;
  /** Monotonic milliseconds; the token is not used beyond. */
  until: number;
  exchange?: Promise<string>;
}

// What was learnt of a key goes with the configuration that holds it.
const states = new WeakMap<VendorKey, TokenState>();

/** At once where a token is held. Rejects with an UpstreamFault, whose words hold nothing of the key. */
export function googleToken(key: VendorKey, ports: TokenPorts): string | Promise<string> {
  let state = states.get(key);
  if (!state) states.set(key, (state = { until: -Infinity }));
  if (state.token !== undefined && ports.clock.monotonic() < state.until) return state.token;
  state.exchange ??= renew(state, key, ports);
  return heardUntilAborted(state.exchange, ports.signal);
}

async function renew(state: TokenState, key: VendorKey, ports: TokenPorts): Promise<string> {
  try {
    state.account ??= readAccount(key);
    const began = ports.clock.monotonic();
    const { token, lifetimeMs } = await exchange(state.account, key, ports);
    state.token = token;
    state.until = began + lifetimeMs - Math.min(earlyMs, lifetimeMs / 2);
    return token;
  } finally {
    delete state.exchange;
  }
}

const earlyMs = 120_000;

function heardUntilAborted(exchange: Promise<string>, signal: Signal): Promise<string> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new UpstreamFault("aborted"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    exchange.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

const failed = (key: VendorKey, reason: string): UpstreamFault =>
  new UpstreamFault("credentials_failed", { cause: new Error(`key ${key.id}: ${reason}`) });

function readAccount(key: VendorKey): Account {
  const fields = parseJson(key.secret);
  const { client_email: email, private_key: pem, private_key_id: keyId, token_uri: uri } = fields;
  if (typeof email !== "string" || typeof pem !== "string") throw failed(key, "it is no service account's JSON");
  try {
    return {
      email,
      keyId: typeof keyId === "string" ? keyId : undefined,
      tokenUrl: new URL(typeof uri === "string" ? uri : "https://oauth2.googleapis.com/token"),
      privateKey: createPrivateKey(pem),
    };
  } catch {
    // The parser's own words may quote the key.
    throw failed(key, "its private_key or token_uri can't be read");
  }
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const lifetimeSeconds = 3600;
const scope = "https://www.googleapis.com/auth/cloud-platform";

function claimOf({ email, keyId, tokenUrl, privateKey }: Account, nowMs: number): string {
  const issued = Math.floor(nowMs / 1000);
  const header = { alg: "RS256", typ: "JWT", ...(keyId !== undefined && { kid: keyId }) };
  const claims = { iss: email, scope, aud: tokenUrl.href, iat: issued, exp: issued + lifetimeSeconds };
  const text = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`;
  return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
}

const base64Url = (text: string): string => Buffer.from(text).toString("base64url");

const longestExchangeMs = 10_000;
const maxAnswerBytes = 64 * 1024;
const codePattern = /^[a-z_]{1,60}$/;

async function exchange(
  account: Account,
  key: VendorKey,
  { upstream, clock, timeouts }: TokenPorts,
): Promise<{ token: string; lifetimeMs: number }> {
  const grant = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: claimOf(account, clock.now()) };
  const { connectMs, firstByteMs, idleMs } = timeouts;
  const response = await upstream
    .send({
      url: account.tokenUrl,
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams(grant).toString(),
      signal: new Cancellation(),
      timeouts: { connectMs, firstByteMs, idleMs, totalMs: longestExchangeMs },
    })
    .catch((fault: unknown) => {
      throw failed(key, `its token endpoint could not be reached (${reasonOf(fault)})`);
    });
  const answer = await response.whole(maxAnswerBytes).catch((fault: unknown) => {
    throw failed(key, `its token endpoint broke off (${reasonOf(fault)})`);
  });
  const { access_token: token, expires_in: expires, error } = parseJson(answer.toString("utf8"));
  if (response.status !== 200) {
    const code = typeof error === "string" && codePattern.test(error) ? `: ${error}` : "";
    throw failed(key, `its token endpoint answered ${response.status}${code}`);
  }
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) throw failed(key, "its token endpoint gave no token");
  const seconds = typeof expires === "number" && expires > 0 ? expires : lifetimeSeconds;
  return { token, lifetimeMs: Math.min(seconds, lifetimeSeconds) * 1000 };
}

function reasonOf(fault: unknown): string {
  if (fault instanceof UpstreamFault) return fault.reason;
  throw fault;
}
