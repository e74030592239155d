import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConsole } from "./index.ts";

const page = "<!doctype html><title>Weir</title>";
let root: string;
let folder: string;
let server: Server;
let port: number;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "weir-console-"));
  folder = join(root, "dist");
  mkdirSync(join(folder, "assets"), { recursive: true });
  writeFileSync(join(root, "secret.txt"), "secret");
  writeFileSync(join(folder, "index.html"), page);
  writeFileSync(join(folder, "logo.svg"), "<svg/>");
  writeFileSync(join(folder, "blob.xyz"), "?");
  writeFileSync(join(folder, "assets", "app-1a2b.js"), "let a");
  const serve = createConsole(folder);
  server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    if (!serve(incoming, response)) response.writeHead(418).end("not the console's");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** Not `fetch`, which would tidy the path up before it is sent. */
async function get(
  path: string,
  method = "GET",
): Promise<{ status: number; headers: IncomingMessage["headers"]; body: string }> {
  const sent = request({ host: "127.0.0.1", port, path, method, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

describe("the console's files", () => {
  it.each([
    ["/console/", 200, page, "no-store", "text/html; charset=utf-8"],
    ["/console/index.html", 200, page, "no-store", "text/html; charset=utf-8"],
    ["/console/decisions", 200, page, "no-store", "text/html; charset=utf-8"],
    ["/console/decisions/dec_1?tab=proof", 200, page, "no-store", "text/html; charset=utf-8"],
    [
      "/console/assets/app-1a2b.js",
      200,
      "let a",
      "public, max-age=31536000, immutable",
      "text/javascript; charset=utf-8",
    ],
    ["/console/logo.svg", 200, "<svg/>", "no-store", "image/svg+xml"],
    ["/console/blob.xyz", 200, "?", "no-store", "application/octet-stream"],
  ])("GET %s: %s", async (path, status, body, caching, type) => {
    const answer = await get(path);
    expect([answer.status, answer.body, answer.headers["cache-control"], answer.headers["content-type"]]).toEqual([
      status,
      body,
      caching,
      type,
    ]);
  });

  it.each([["/console/assets/gone.js"], ["/console/favicon.ico"]])(
    "a missing file is a 404, not the page: %s",
    async (path) => expect((await get(path)).status).toBe(404),
  );

  it.each([["/"], ["/console"], ["/console?x=1"]])("%s goes to /console/", async (path) => {
    const answer = await get(path);
    expect([answer.status, answer.headers["location"]]).toEqual([302, "/console/"]);
  });

  it.each([["/consoles/"], ["/v1/models"], ["/admin/v1/me"], ["//console/"], ["/Console/"]])(
    "%s is not the console's",
    async (path) => expect((await get(path)).status).toBe(418),
  );

  it.each([
    ["/console/../secret.txt"],
    ["/console/../../etc/passwd"],
    ["/console/%2e%2e/secret.txt"],
    ["/console/..%2fsecret.txt"],
    ["/console/assets/../../secret.txt"],
    ["/console//etc/passwd"],
    ["/console/..\\secret.txt"],
    ["/console/secret.txt%00.js"],
    ["/console/constructor"],
    ["/console/__proto__"],
  ])("no path reaches the file system: %s", async (path) => {
    const { status, body } = await get(path);
    expect(body).not.toContain("secret");
    expect(body).not.toContain("root:");
    if (status === 200) expect(body).toBe(page);
  });

  it.each([["POST"], ["PUT"], ["DELETE"]])("%s is refused", async (method) => {
    const answer = await get("/console/", method);
    expect([answer.status, answer.headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });

  it("HEAD answers as GET would, without the body", async () => {
    const answer = await get("/console/", "HEAD");
    expect([answer.status, answer.headers["content-length"], answer.body]).toEqual([200, String(page.length), ""]);
  });

  it("what is served can't change under a running server", async () => {
    writeFileSync(join(folder, "late.js"), "x");
    expect((await get("/console/late.js")).status).toBe(404);
  });

  it.each([["/console/"], ["/console/decisions"], ["/console/assets/app-1a2b.js"], ["/console/gone.js"], ["/"]])(
    "strict headers on %s",
    async (path) => {
      const { headers } = await get(path);
      const csp = Object.fromEntries(
        String(headers["content-security-policy"])
          .split("; ")
          .map((part) => [part.split(" ")[0], part.split(" ").slice(1).join(" ")]),
      );
      expect(csp).toMatchObject({
        "default-src": "'self'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
      });
      expect(String(headers["content-security-policy"])).not.toMatch(/unsafe|\*|https?:/);
      expect([headers["x-content-type-options"], headers["referrer-policy"]]).toEqual(["nosniff", "no-referrer"]);
    },
  );

  it("a folder without a page is refused at the start, with what to do", () => {
    expect(() => createConsole(join(folder, "assets"))).toThrow(/no index\.html.*npm run build/);
  });
});
