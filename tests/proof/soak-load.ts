/** The mixed load: whole answers and streams over both dialects, cache hits, scores, retries, faults of vendors, clients who leave. */
import { type Agent, fetch } from "undici";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { type Received, type Script, type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { bankExample } from "../fixtures/house.ts";

const long = "A good answer of a usual length, said in pieces. ".repeat(20);
const scripts: Record<string, Script> = {
  ok: { text: long, usage: { input: 30, cached: 4, output: 200 }, pieces: 20 },
  calls: { calls: [{ id: "c1", name: "f", arguments: '{"a":1}' }], usage: { input: 30, output: 6 } },
  unreported: { text: long, pieces: 5 },
  rejected: { status: 400 },
  failing: { status: 500 },
  busy: { status: 429, headers: { "retry-after": "1" } },
  refused: { reset: "before-headers" },
  garbled: { lie: { contentType: "text/plain", body: "?" } },
  truncated: { text: long, ending: "truncate" },
  torn: { text: long, ending: "reset" },
  erring: { text: long, ending: "error-event" },
  hanging: { hang: "before-headers" },
  stuck: { text: long, ending: "hang" },
};

function scriptFor(request: Received): Script {
  const said = /script=(\w+)/.exec(request.body.toString("utf8"))?.[1] ?? "ok";
  // The second vendor is well.
  return request.path.startsWith("/second") ? scripts["ok"]! : scripts[said]!;
}

/** What one act did: how many requests it sent, and what came that should not have. */
interface Done {
  sent: number;
  /** The target was full, and the client was told so: right on a busy machine, and counted. */
  turnedAway?: true;
  wrong?: string;
}

const unexpected = (status: number, body: string): Done =>
  status === 503 && body.includes("overloaded")
    ? { sent: 1, turnedAway: true }
    : { sent: 1, wrong: `${status}: ${body.slice(0, 200)}` };
type Act = (i: number) => Promise<Done>;

interface Chat {
  script?: keyof typeof scripts;
  text?: string;
  stream?: boolean;
  anthropic?: boolean;
  headers?: Record<string, string>;
  /** Of an answer that is as it should be; default 200. */
  status?: readonly number[];
}

export async function openVendor(): Promise<ScriptedVendor> {
  const vendor = await startScriptedVendor();
  vendor.fallback(scriptFor);
  return vendor;
}

// What the vendor received is kept only until it has been looked for.
const keptRequests = 500;

/** `client` holds the connections to Weir: closing it closes them. */
export function actsOn(at: {
  origin: string;
  key: string;
  vendor: ScriptedVendor;
  client: Agent;
}): readonly [string, Act][] {
  const { origin, key, vendor, client: dispatcher } = at;
  const request = (useCase: string, text: string, { stream, anthropic, headers }: Chat, signal?: AbortSignal) => {
    if (vendor.received.length > keptRequests) vendor.received.splice(0, keptRequests / 2);
    return fetch(`${origin}${anthropic ? "/v1/messages" : "/v1/chat/completions"}`, {
      method: "POST",
      dispatcher,
      headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify({
        model: useCase,
        messages: [{ role: "user", content: text }],
        max_tokens: 300,
        ...(stream && { stream }),
      }),
      ...(signal && { signal }),
    });
  };

  const chat =
    (useCase: string, asked: Chat): Act =>
    async (i) => {
      const { script = "ok", status = [200] } = asked;
      const text = `${asked.text ?? `Question ${i}`}, script=${script}`;
      const response = await request(useCase, text, asked);
      const body = await response.text();
      return status.includes(response.status) ? { sent: 1 } : unexpected(response.status, body);
    };

  /** Leaves once the vendor has the request, or in the middle of the answer. */
  const leave =
    (useCase: string, asked: Chat): Act =>
    async (i) => {
      const mark = `leaver ${i},`;
      const client = new AbortController();
      const arrived = vendor.arrivalOf((one) => one.body.includes(mark));
      const pending = request(useCase, `${mark} script=${asked.script}`, asked, client.signal);
      const answered = pending.then(
        (response) => response,
        () => undefined,
      );
      const first = await Promise.race([arrived, answered]);
      if (first === undefined) return { sent: 1, wrong: "the connection failed before the vendor was asked" };
      // Its headers came although the vendor was never asked.
      if (!("aborted" in first)) return unexpected(first.status, await first.text());
      // The first vendor was full, and the second one answers whoever asks.
      if (first.path.startsWith("/second")) {
        await (await pending).text();
        return { sent: 1, turnedAway: true };
      }
      if (asked.script === "stuck" && asked.stream) await (await pending).body!.getReader().read();
      client.abort();
      await first.aborted;
      return { sent: 1 };
    };

  const applicants = heldOutApplicants(bankExample).slice(0, 50);
  const score: Act = async (i) => {
    const { row, body } = applicants[i % applicants.length]!;
    const response = await fetch(`${origin}/v1/decisions/credit`, {
      method: "POST",
      dispatcher,
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${key}`,
        "x-weir-subject": `applicant-${row}`,
        "x-weir-consent": "loan-application-2026",
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return response.status === 200 ? { sent: 1 } : unexpected(response.status, text);
  };

  /** The same question twice under one idempotency key: the second is an earlier answer. */
  const twice: Act = async (i) => {
    const once = chat("plain", { text: `Once ${i}`, headers: { "idempotency-key": `once-${i}` } });
    const [first, second] = [await once(i), await once(i)];
    return { ...first, ...second, sent: 2 };
  };

  const cachedText = (i: number) => ({ text: `The question ${i % 40}` });
  const failed = { status: [502, 503, 504] };
  return [
    ["whole", chat("plain", {})],
    ["stream", chat("plain", { stream: true })],
    ["stream, long text", (i) => chat("plain", { stream: true, text: `Long ${i} ${long.repeat(20)}` })(i)],
    ["anthropic client", chat("plain", { anthropic: true })],
    ["cross stream", chat("cross", { stream: true })],
    ["cross whole", chat("cross", {})],
    ["cross calls", chat("cross", { script: "calls", anthropic: true, stream: true })],
    ["unreported", chat("plain", { script: "unreported", stream: true })],
    ["rejected, next rung", chat("plain", { script: "rejected" })],
    ["failing, next rung", chat("plain", { script: "failing", stream: true })],
    ["failing, retried", chat("retried", { script: "failing", ...failed })],
    ["busy, retried", chat("retried", { script: "busy", status: [429, ...failed.status] })],
    ["reset, next rung", chat("cross", { script: "refused", stream: true })],
    ["garbled", chat("plain", { script: "garbled", stream: true })],
    ["truncated", chat("plain", { script: "truncated", stream: true })],
    ["torn", chat("plain", { script: "torn", stream: true })],
    ["erring", chat("cross", { script: "erring", stream: true, anthropic: true })],
    ["guarded", chat("guarded", { text: "Write to ada@example.org" })],
    ["cached", (i) => chat("cached", cachedText(i))(i)],
    ["cached stream", (i) => chat("cached", { ...cachedText(i), stream: true })(i)],
    ["score", score],
    ["idempotent", twice],
    ["leaves before headers", leave("plain", { script: "hanging" })],
    ["leaves before a stream", leave("plain", { script: "hanging", stream: true })],
    ["leaves in the middle", leave("plain", { script: "stuck", stream: true })],
    ["leaves a translated stream", leave("cross", { script: "stuck", stream: true })],
    ["unknown use case", chat("nothing", { status: [404] })],
    ["bad key", chat("plain", { headers: { authorization: "Bearer wr_prod_wrong" }, status: [401] })],
  ];
}
