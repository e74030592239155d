/** A production start: no credential is printed or minted, and nobody who comes first can claim the installation. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openControlStore } from "../../src/stores/sqlite/index.ts";
import { bankExample } from "../fixtures/house.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "weir-production-"));
const data = join(folder, "data");
let server: ReturnType<typeof spawn>;
let printed = "";
let origin: string;

beforeAll(async () => {
  cpSync(bankExample, join(folder, "config"), {
    recursive: true,
    filter: (path) => !/\/(train|data)(\/|$)/.test(path),
  });
  const config = join(folder, "config", "weir.yaml");
  writeFileSync(
    config,
    readFileSync(config, "utf8")
      .replace("port: 8080", "port: 0")
      .replace("ops_port: 9090", "ops_port: 0")
      .replace("../../.weir/checkpoints", "../checkpoints"),
  );
  server = spawn(
    join(root, "node_modules/.bin/node"),
    ["src/cli/weir.ts", "start", "--config", config, "--data", data],
    { cwd: root },
  );
  origin = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      printed += chunk.toString();
      const found = /"origin":"([^"]+)"/.exec(printed);
      if (found) resolve(found[1]!);
    };
    server.stdout!.on("data", hear);
    server.stderr!.on("data", hear);
    server.on("exit", (code) => reject(new Error(`weir start ended with ${code}\n${printed}`)));
  });
}, 60_000);
afterAll(async () => {
  server.removeAllListeners("exit");
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

describe("a production start", () => {
  it("prints no key, no token, no link", () => {
    expect(printed).not.toMatch(/wr_(dev|test|prod)_|#token=|#invite=/);
  });

  it("has minted nothing and knows nobody", async () => {
    const control = openControlStore(join(data, "control.sqlite"));
    expect(control.keys.all()).toEqual([]);
    expect(await control.operators.all()).toEqual([]);
    control.close();
  });

  it.each([
    ["/admin/v1/session", { name: "admin", password: "a long enough password" }],
    ["/admin/v1/session/token", { token: "x".repeat(43) }],
    ["/admin/v1/invitations/accept", { token: "x".repeat(43), password: "a long enough password" }],
    ["/admin/v1/operators/invitations", { name: "mallory", roles: ["admin"] }],
    ["/admin/v1/keys", { label: "x", tenant: "lindenbank", principal_id: "x", use_cases: ["*"] }],
  ])("lets no first visitor in by %s", async (path, body) => {
    const response = await fetch(origin + path, {
      method: "POST",
      headers: { "content-type": "application/json", origin, "sec-fetch-site": "same-origin" },
      body: JSON.stringify(body),
    });
    expect([401, 403]).toContain(response.status);
    expect(response.headers.get("set-cookie")).toBeNull();
  });
});
