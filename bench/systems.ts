/** The processes around Weir: mock upstream, load generator, bare proxy, nginx. */
import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Server, connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Generator } from "./generator.ts";

export interface System {
  child: ChildProcess;
  pid: number;
  port: number;
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const children: ChildProcess[] = [];
export function stopSystems(): void {
  for (const child of children) child.kill("SIGTERM");
}

async function forked(name: string, args: readonly string[] = []): Promise<System> {
  const child = fork(file(name), [...args], { serialization: "advanced", execArgv: [] });
  children.push(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message: { port: number }) => resolve(message.port));
    child.once("exit", (code) => reject(new Error(`${name} ended with code ${code}`)));
  });
  return { child, pid: child.pid!, port };
}

/** `slowMs`: its streams say something that seldom, and end when told. */
export const startUpstream = (slowMs?: number): Promise<System> =>
  forked("mock-upstream.ts", slowMs === undefined ? [] : [String(slowMs)]);
export const startBareProxy = (upstreamPort: number): Promise<System> =>
  forked("bare-proxy.ts", [String(upstreamPort)]);

/** Holds streams open; see `stream-holder.ts`. */
export const startHolder = async (): Promise<ChildProcess> => (await forked("stream-holder.ts")).child;

export function startGenerator(): Generator {
  const child = fork(file("load-generator.ts"), [], { serialization: "advanced", execArgv: [] });
  children.push(child);
  return new Generator(child);
}

export function nginxVersion(): string | undefined {
  const told = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  return told.error ? undefined : /nginx\/(\S+)/.exec(`${told.stderr}${told.stdout}`)?.[1];
}

/** One process without a master; buffers large enough that no body touches the disk, as Weir's doesn't. */
const nginxConfiguration = (port: number, upstreamPort: number, folder: string) => `daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_body_buffer_size 1m;
  client_max_body_size 8m;
  keepalive_timeout 65;
  keepalive_requests 100000000;
  tcp_nodelay on;
  upstream vendor { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;

export async function startNginx(folder: string, upstreamPort: number): Promise<System> {
  const port = await freePort();
  const home = join(folder, "nginx");
  mkdirSync(home, { recursive: true });
  const configuration = join(home, "nginx.conf");
  writeFileSync(configuration, nginxConfiguration(port, upstreamPort, home));
  const child = spawn("nginx", ["-p", home, "-c", configuration], { stdio: ["ignore", "inherit", "inherit"] });
  children.push(child);
  await listening(port, child, "nginx");
  return { child, pid: child.pid!, port };
}

const peers = fileURLToPath(new URL("peers/node_modules/", import.meta.url));
const portkeyFolder = join(peers, "@portkey-ai", "gateway");

/** Its version and that of the server beneath, or `undefined` where it isn't installed (npm run bench:peers). */
export function portkeyVersion(): string | undefined {
  const start = join(portkeyFolder, "build", "start-server.js");
  if (!existsSync(start)) return undefined;
  const of = (folder: string) =>
    (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
  return `${of(portkeyFolder)} on @hono/node-server ${of(join(peers, "@hono", "node-server"))}`;
}

/** As its users start it, on the same Node; without plugins, caches or logs. */
export async function startPortkey(): Promise<{ port: number; pid: number }> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [join(portkeyFolder, "build", "start-server.js"), `--port=${port}`, "--headless"],
    {
      env: { ...process.env, NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  children.push(child);
  await listening(port, child, "Portkey");
  return { port, pid: child.pid! };
}

async function listening(port: number, child: ChildProcess, name: string): Promise<void> {
  for (let tries = 0; !(await reachable(port)); tries++) {
    if (tries === 100 || child.exitCode !== null) throw new Error(`${name} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });

async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
