/** The real server as a process of its own, on the bank's configuration, to be killed; and applicants sent to it at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { openControlPlane } from "../../src/cli/control-plane.ts";
import { bankExample } from "../fixtures/house.ts";

const command = fileURLToPath(new URL("../../src/cli/weir.ts", import.meta.url));

export interface Installation {
  folder: string;
  config: string;
  data: string;
  /** Folder of the checkpoint sink, outside the data directory. */
  sink: string;
  key: string;
}

/** A configuration as in production (no example mode, no console, free ports), and a key minted before the first start. */
export async function install(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), "weir-crash-"));
  const root = join(folder, "config");
  cpSync(bankExample, root, { recursive: true, filter: (path) => !/\/(train|data)(\/|$)/.test(path) });
  const [config, data, sink] = [join(root, "weir.yaml"), join(folder, "data"), join(folder, "checkpoints")];
  const text = readFileSync(config, "utf8")
    .replace("port: 8080", "port: 0\n  console: false")
    .replace("ops_port: 9090", "ops_port: 0")
    .replace("../../.weir/checkpoints", sink);
  writeFileSync(config, text);
  const plane = await openControlPlane(data, "dev");
  const principal = { type: "service" as const, id: "branch" };
  const minting = plane.keys.mint({ label: "branch", tenant: "lindenbank", principal, use_cases: ["credit"] });
  await plane.record({ ...minting.act, operator: plane.actor });
  const { key } = minting.commit();
  await plane.close();
  return { folder, config, data, sink, key };
}

export interface Server {
  origin: string;
  /** What it wrote to stderr, line by line. */
  logged: string[];
  kill(): Promise<void>;
  /** As an operator stops it; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export async function startServer({ config, data }: Installation): Promise<Server> {
  const child = spawn(process.execPath, [command, "start", "--config", config, "--data", data], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const logged: string[] = [];
  const origin = await originOf(child, logged);
  return {
    origin,
    logged,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

function originOf(child: ChildProcess, logged: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stderr! }).on("line", (line) => {
      logged.push(line);
      if (!line.includes('"message":"serving"')) return;
      resolve((JSON.parse(line) as { origin: string }).origin);
    });
    child.once("exit", (code) =>
      reject(new Error(`the server ended with ${code} before it served: ${logged.join("\n")}`)),
    );
  });
}

/** A decision whose answer was read to its last byte. */
export interface Acknowledged {
  decision_id: string;
  result: string;
  score: number;
}

const applicants = heldOutApplicants(bankExample);

/** Sends applicants over `connections` at once until `enough` are answered or the server is gone; returns the answers. */
export async function load(
  origin: string,
  key: string,
  options: { connections: number; enough: number; whenEnough: () => void },
): Promise<Acknowledged[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const acknowledged: Acknowledged[] = [];
  let gone = false;
  let next = 0;
  const client = async () => {
    while (!gone) {
      const { row, body } = applicants[next++ % applicants.length]!;
      const answer = await ask(agent, origin, key, `applicant-${row}`, body).catch(() => undefined);
      if (!answer) gone = true;
      else if (acknowledged.push(answer) === options.enough) options.whenEnough();
    }
  };
  await Promise.all(Array.from({ length: options.connections }, client));
  agent.destroy();
  return acknowledged;
}

/** Rejects unless the answer is a whole 200. */
export function ask(agent: Agent, origin: string, key: string, subject: string, body: object): Promise<Acknowledged> {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "x-weir-subject": subject,
    "x-weir-consent": "loan-application-2026",
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${origin}/v1/decisions/credit`, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.complete && response.statusCode === 200) resolve(JSON.parse(text) as Acknowledged);
        else reject(new Error(`status ${response.statusCode}, ${text.length} bytes`));
      });
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}
