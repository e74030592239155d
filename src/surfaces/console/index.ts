/**
 * Serves the built console under /console/: hashed files for a year, the page itself never cached, unknown paths as the
 * page (the router is in the browser). Strict content security policy; no request leaves the origin. Knows no data.
 */
import { readFileSync, readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

const security = {
  "content-security-policy":
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

interface Asset {
  bytes: Buffer;
  type: string;
  immutable: boolean;
}

/** Reads the folder once: what is served can't change under a running server, and no path reaches the file system. */
export function createConsole(folder: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const assets = readAssets(folder);
  const page = assets.get("index.html");
  if (!page) throw new Error(`${folder} holds no index.html; build the console with npm run build --workspace console`);
  return (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (path === "/" || path === "/console") {
      response.writeHead(302, { location: "/console/", ...security }).end();
      return true;
    }
    if (!path.startsWith("/console/")) return false;
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD", ...security }).end();
      return true;
    }
    const wanted = path.slice("/console/".length);
    const asset = assets.get(wanted) ?? (extname(wanted) === "" ? page : undefined);
    if (!asset) {
      response.writeHead(404, { "content-type": "text/plain", ...security }).end("not found\n");
      return true;
    }
    response.writeHead(200, {
      "content-type": asset.type,
      "content-length": asset.bytes.length,
      "cache-control": asset.immutable ? "public, max-age=31536000, immutable" : "no-store",
      ...security,
    });
    response.end(request.method === "HEAD" ? undefined : asset.bytes);
    return true;
  };
}

function readAssets(folder: string): Map<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    const type = types[extname(name)] ?? "application/octet-stream";
    assets.set(name, { bytes: readFileSync(path), type, immutable: name.startsWith("assets/") });
  }
  return assets;
}
