/** AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html). Pure: time is passed in. */
import { createHash, createHmac } from "node:crypto";

export interface AwsKey {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials. */
  sessionToken?: string;
}

/** `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`; undefined for anything else. */
export function parseAwsKey(secret: string): AwsKey | undefined {
  const [accessKeyId, secretAccessKey, sessionToken, more] = secret.split(":");
  if (!accessKeyId || !secretAccessKey || sessionToken === "" || more !== undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

export interface SignedRequest {
  method: string;
  url: URL;
  /** To be signed beside host and date; they must leave as they stand here. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | string;
}

/** The headers that the request needs beside its own. */
export function signAws(
  { method, url, headers, body }: SignedRequest,
  { region, service }: { region: string; service: string },
  { accessKeyId, secretAccessKey, sessionToken }: AwsKey,
  nowMs: number,
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const added: Record<string, string> = { "x-amz-date": time };
  if (sessionToken !== undefined) added["x-amz-security-token"] = sessionToken;
  const signed = Object.entries({ ...headers, ...added, host: url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/ +/g, " ")] as const)
    .toSorted(byKey);
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.search),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    sha256(body),
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  added["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, text).toString("hex")}`;
  return added;
}

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

type Pair = readonly [string, string];

const byKey = (a: Pair, b: Pair): number => compare(a[0], b[0]) || compare(a[1], b[1]);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** RFC 3986's unreserved characters stay. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Every service but S3 signs the path that is sent encoded once more: `%3A` in a model's name is signed as `%253A`. */
const canonicalPath = (path: string): string => path.split("/").map(encode).join("/");

function canonicalQuery(search: string): string {
  if (search.length < 2) return "";
  return search
    .slice(1)
    .split("&")
    .map((pair): Pair => {
      const at = pair.indexOf("=");
      const [name, value] = at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))];
    })
    .toSorted(byKey)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}
