/**
 * One rung's call of a vendor, whatever is asked: keys in turn, retries within the deadline, an attempt's entry for each
 * try. What is sent and how an answer is read is the caller's.
 */
import type { VendorDialect } from "../../engines/dialects/port.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Model, VendorKey, VendorTarget } from "../../kernel/snapshot.ts";
import type { Usage } from "../../kernel/usage.ts";
import type { Decision, Served } from "../../path/context.ts";
import { type TokenCalibration, priorityOf } from "../reserve/index.ts";
import { allowanceOf } from "./allowance.ts";
import { Attempt, type AttemptPlan, type AttemptPorts, abortReason } from "./attempt.ts";
import { type Capacity, type Pass, refuseShed } from "./capacity/index.ts";
import { credentialsFor } from "./credentials.ts";
import type { VendorKeys } from "./health/index.ts";
import type { VendorDialects } from "./port.ts";
import { backoffMs, durationOf, isRetryableStatus, retryAfterOf } from "./retry.ts";
import { type Upstream, UpstreamFault, type UpstreamResponse } from "./upstream.ts";
import { addressOf } from "./vendor-address.ts";

export interface VendorPorts extends AttemptPorts {
  upstream: Upstream;
  dialects: VendorDialects;
  keys: VendorKeys;
  capacity: Capacity;
  calibration: TokenCalibration;
  /** The live overlay: whether the caller's key still holds. */
  keyRefusal(d: Decision): Refusal | undefined;
  /** The live overlay: whether an operator has closed this way since routing. */
  isExcluded(d: Decision, place: { rung: number; model: string; vendor: string }): boolean;
}

type VendorModel = Extract<Model, { type: "vendor" }>;

export interface VendorWay {
  index: number;
  slot?: string;
  model: VendorModel;
  vendor: VendorTarget;
}

/** What goes to the vendor, the same for every retry, and how its answer is read. */
export interface VendorWire {
  path: string;
  /** Those of the wire format. */
  headers: Record<string, string>;
  accept: string;
  body: Uint8Array | string;
  /** What it will probably take of the target: tokens in and out. */
  expected: { input: number; output: number };
  /** What a call that reached the vendor is taken to have used, where it doesn't say. */
  estimate(): Usage;
  decodeError: VendorDialect["decodeError"];
  /** Ends the attempt; may reject with an UpstreamFault, which ends it too. */
  read(attempt: Attempt, response: UpstreamResponse): Promise<Tried>;
}

export interface Tried {
  served?: Served;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
  /** The key has reached its limit: another one may not have. */
  limited?: boolean;
  keyDead?: boolean;
}

export interface VendorCall {
  ports: VendorPorts;
  d: Decision;
  way: VendorWay;
  plan: AttemptPlan;
  wire: VendorWire;
}

/** `undefined`: the next rung is taken. */
export async function callVendor(call: VendorCall): Promise<Served | undefined> {
  const { ports, d, way, plan } = call;
  const called = d.attempts.length;
  let retries = 0;
  for (;;) {
    const stop = ports.keyRefusal(d);
    if (stop) d.abort(stop);
    if (d.signal.aborted) return undefined;
    const choice = ports.keys.take(way.vendor, plan.target);
    if ("waitMs" in choice && (await waited(d, way, choice.waitMs + d.clock.random() * 100))) continue;
    if (d.signal.aborted) return undefined;
    const place = { rung: way.index, model: way.model.name, vendor: way.vendor.name };
    const bar = ports.isExcluded(d, place) ? "override_excluded" : barOf(ports, plan, choice);
    if (bar !== undefined || !("key" in choice)) {
      // What was tried already speaks for itself.
      if (d.attempts.length === called) Attempt.skip(ports, d, plan, "failed", bar ?? "cooling_down");
      return undefined;
    }
    const tried = await tryOnce(call, choice.key);
    if (tried.served) return tried.served;
    // Another key of the same vendor costs no retry: the request itself was never looked at.
    if (tried.keyDead) continue;
    if (!tried.retryable || retries >= d.useCase.retries || !ports.health.mayRetry(plan.target)) return undefined;
    const otherKey =
      tried.limited && way.vendor.keys.length > 1 && ports.keys.availability(way.vendor, plan.target) === "live";
    if (!otherKey && !(await waited(d, way, backoffMs(d.clock, retries, tried.retryAfterMs)))) return undefined;
    retries += 1;
  }
}

/** Why the target must not be called now; the wait for a cooling key is not among them. */
function barOf(ports: VendorPorts, plan: AttemptPlan, choice: ReturnType<VendorKeys["take"]>): string | undefined {
  if ("none" in choice) return "no_live_key";
  return ports.health.admits(plan.target, plan.watched?.policy) ? undefined : "breaker_open";
}

/** False where that would be too long, or the client went or the deadline passed meanwhile: the ladder sees the signal. */
async function waited(d: Decision, way: VendorWay, ms: number): Promise<boolean> {
  if (ms > longestWaitMs(d, way)) return false;
  try {
    await d.clock.sleep(ms, d.signal);
    return true;
  } catch {
    return false;
  }
}

/** A vendor that wants to be left alone for longer than this is left alone: the next rung, or the end, comes sooner. */
function longestWaitMs(d: Decision, way: VendorWay): number {
  const left = d.deadlineAt - d.clock.monotonic();
  const last = d.rungs.at(-1);
  const isLast = last?.index === way.index && (last.rung.type !== "model" || last.rung.model === way.model.name);
  return isLast ? left : Math.min(left, 2000);
}

async function tryOnce(call: VendorCall, key: VendorKey | undefined): Promise<Tried> {
  const { ports, d, way, plan, wire } = call;
  const pass = await enterTarget(call);
  if (!pass) return { retryable: false };
  const attempt = Attempt.begin(ports, d, key ? { ...plan, key: key.id } : plan, pass);
  if (!attempt) return { retryable: false };
  let sent = false;
  try {
    const { model, vendor } = way;
    const url = addressOf(vendor, wire.path, model.model);
    const shown = credentialsFor(
      vendor,
      key,
      { method: "POST", url, headers: jsonBody, body: wire.body },
      { clock: d.clock, upstream: ports.upstream, signal: d.signal },
    );
    const credentials = shown instanceof Promise ? await shown : shown;
    sent = true;
    const response = await ports.upstream.send({
      url,
      headers: { ...wire.headers, ...vendor.headers, ...credentials, ...jsonBody, accept: wire.accept },
      body: wire.body,
      signal: d.signal,
      timeouts: vendor.timeouts,
    });
    const left = allowanceOf(response.headers, (text) => durationOf(text, d.clock.now()));
    if (left) ports.capacity.told(plan.target, left);
    if (response.status >= 300) return await refusedByVendor(call, key, attempt, response);
    ports.keys.worked(vendor, key, plan.target);
    return await wire.read(attempt, response);
  } catch (fault) {
    if (fault instanceof UpstreamFault) return broken(call, attempt, fault, sent);
    attempt.end("failed", { reason: "fault" });
    throw fault;
  }
}

const jsonBody = { "content-type": "application/json" } as const;

/** A place at the target; `undefined` where it can't be had in time, or the client went while it was waited for. */
async function enterTarget({ ports, d, way, plan, wire }: VendorCall): Promise<Pass | undefined> {
  const { firstTokenMs } = way.vendor.timeouts;
  const stream = plan.watched?.stream === true;
  const entered = ports.capacity.enter(plan.target, {
    tenant: d.tenant.name,
    ...(d.tenant.weight !== undefined && { weight: d.tenant.weight }),
    class: d.throttled ? "batch" : priorityOf(d),
    inTokens: wire.expected.input,
    expectedOutTokens: wire.expected.output,
    deadlineAt: d.deadlineAt,
    ...(stream && firstTokenMs !== undefined && { firstTokenBy: d.clock.monotonic() + firstTokenMs }),
    signal: d.signal,
  });
  const place = entered instanceof Promise ? await entered : entered;
  if (!("shed" in place)) return place;
  if (place.shed !== "gone") d.turnedAway = refuseShed(plan.target, place);
  Attempt.skip(ports, d, plan, place.shed === "gone" ? "aborted" : "failed", `shed_${place.shed}`);
  return undefined;
}

function broken({ ports, d, wire }: VendorCall, attempt: Attempt, fault: UpstreamFault, sent: boolean): Tried {
  const { reason } = fault;
  // Only the log learns why.
  if (reason === "credentials_failed") ports.report(d, fault);
  // A request that reached the vendor may have been billed, whatever became of its answer.
  const reached = sent && reason !== "connect_failed" && reason !== "connect_timeout";
  const usage = reached ? { usage: wire.estimate() } : {};
  if (reason === "aborted") attempt.end("aborted", { reason: abortReason(d), ...usage });
  else attempt.end(reason.endsWith("timeout") ? "timeout" : "failed", { reason, ...usage });
  return { retryable: reason !== "aborted" };
}

// A vendor's refusal that is larger than this is no message.
const maxErrorBytes = 64 * 1024;

// Some vendors say 403 of a request that their moderation flagged: that is not the key's fault.
const aboutContent = /moderat|flagged|content[ _-]?(?:policy|filter)|safety/i;

async function refusedByVendor(
  { ports, d, way, plan, wire }: VendorCall,
  key: VendorKey | undefined,
  attempt: Attempt,
  response: UpstreamResponse,
): Promise<Tried> {
  // What a vendor says beyond this is no message; its status stands all the same.
  const bytes = await response.whole(maxErrorBytes).catch(() => undefined);
  const told = wire.decodeError(response.status, bytes && parseJson(bytes.toString("utf8")));
  const { status } = response;
  const flagged = status === 403 && aboutContent.test(`${told.code ?? ""} ${told.message}`);
  const rejected = status === 400 || status === 413 || status === 422 || flagged;
  attempt.end(rejected ? "rejected" : "failed", { reason: `http_${status}${told.code ? `:${told.code}` : ""}` });
  const limited = status === 429;
  const retryAfterMs = retryAfterOf(response.headers, d.clock.now(), limited);
  if (limited) ports.keys.limited(way.vendor, key, plan.target, retryAfterMs);
  const keyDead = (status === 401 || status === 402 || status === 403) && !rejected;
  if (keyDead) ports.keys.refused(way.vendor, key, status);
  return { retryable: isRetryableStatus(status), retryAfterMs, limited, keyDead: keyDead && key !== undefined };
}

/** `undefined` for what is not JSON: the format then says that it can't be read. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
