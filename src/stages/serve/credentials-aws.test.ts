import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseAwsKey, signAws } from "./credentials-aws.ts";

const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const scope = { region: "us-east-1", service: "service" };
const at = Date.UTC(2015, 7, 30, 12, 36);
const stsToken =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

interface Vector {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
  token?: string;
  signed: string;
  signature: string;
}

/** AWS's own Signature Version 4 test suite. */
const suite: Record<string, Vector> = {
  "get-vanilla": {
    signed: "host;x-amz-date",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  "post-vanilla": {
    method: "POST",
    signed: "host;x-amz-date",
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  "get-vanilla-query-order-key-case": {
    path: "/?Param2=value2&Param1=value1",
    signed: "host;x-amz-date",
    signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  "get-vanilla-empty-query-key": {
    path: "/?Param1=value1",
    signed: "host;x-amz-date",
    signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
  },
  "get-unreserved": {
    path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    signed: "host;x-amz-date",
    signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  },
  "get-header-value-trim": {
    headers: { "My-Header1": " value1", "My-Header2": ' "a   b   c"' },
    signed: "host;my-header1;my-header2;x-amz-date",
    signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  },
  "post-header-key-sort": {
    method: "POST",
    headers: { "My-Header1": "value1" },
    signed: "host;my-header1;x-amz-date",
    signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  },
  "post-x-www-form-urlencoded": {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "Param1=value1",
    signed: "content-type;host;x-amz-date",
    signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  },
  "post-sts-header-before": {
    method: "POST",
    token: stsToken,
    signed: "host;x-amz-date;x-amz-security-token",
    signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
  },
};

describe("AWS Signature Version 4", () => {
  it.each(Object.entries(suite))("signs %s as AWS's test suite does", (_, vector) => {
    const { method = "GET", path = "/", headers = {}, body = "", token, signed, signature } = vector;
    const url = new URL(`https://example.amazonaws.com${path}`);
    const added = signAws(
      { method, url, headers, body },
      scope,
      token === undefined ? key : { ...key, sessionToken: token },
      at,
    );
    expect(added).toEqual({
      "x-amz-date": "20150830T123600Z",
      ...(token !== undefined && { "x-amz-security-token": token }),
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
    });
  });

  const model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  const bedrock = (over: { path?: string; body?: string | Uint8Array; at?: number } = {}) =>
    signAws(
      {
        method: "POST",
        url: new URL(
          `https://bedrock-runtime.eu-central-1.amazonaws.com${over.path ?? `/model/${encodeURIComponent(model)}/converse`}`,
        ),
        headers: { "content-type": "application/json" },
        body: over.body ?? '{"messages":[]}',
      },
      { region: "eu-central-1", service: "bedrock" },
      key,
      over.at ?? at,
    );

  it("signs a model's colon encoded twice, as it travels encoded once", async () => {
    // The same, put together by hand from AWS's description.
    const { createHmac } = await import("node:crypto");
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const canonical = [
      "POST",
      "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%253A0/converse",
      "",
      "content-type:application/json",
      "host:bedrock-runtime.eu-central-1.amazonaws.com",
      "x-amz-date:20150830T123600Z",
      "",
      "content-type;host;x-amz-date",
      hash('{"messages":[]}'),
    ].join("\n");
    const credential = "20150830/eu-central-1/bedrock/aws4_request";
    const text = `AWS4-HMAC-SHA256\n20150830T123600Z\n${credential}\n${hash(canonical)}`;
    let signing: Buffer = Buffer.from(`AWS4${key.secretAccessKey}`);
    for (const step of credential.split("/")) signing = createHmac("sha256", signing).update(step).digest();
    const signature = createHmac("sha256", signing).update(text).digest("hex");
    expect(bedrock()["authorization"]).toMatch(new RegExp(`Signature=${signature}$`));
  });

  it("covers path, body and time", () => {
    const signature = bedrock()["authorization"];
    expect(bedrock({ body: Buffer.from('{"messages":[]}') })["authorization"]).toBe(signature);
    for (const other of [{ path: "/model/m/converse" }, { body: "{}" }, { at: at + 1000 }]) {
      expect(bedrock(other)["authorization"]).not.toBe(signature);
    }
  });

  it("signs what a query holds, strictly encoded", () => {
    const sign = (path: string) => bedrock({ path })["authorization"];
    expect(sign("/?a=b%20c&d")).toBe(sign("/?d=&a=b%20c"));
    expect(sign("/?a=*")).toBe(sign("/?a=%2A"));
  });

  it.each([
    ["AKID:secret", { accessKeyId: "AKID", secretAccessKey: "secret" }],
    ["AKID:se/cr+et:tok/en==", { accessKeyId: "AKID", secretAccessKey: "se/cr+et", sessionToken: "tok/en==" }],
    ["AKID", undefined],
    ["AKID:", undefined],
    [":secret", undefined],
    ["AKID:secret:", undefined],
    ["a:b:c:d", undefined],
  ])("reads the key %s", (secret, read) => expect(parseAwsKey(secret)).toEqual(read));
});
