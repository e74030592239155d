import { describe, expect, it } from "vitest";
import { isPublicAddress, refusedUrl } from "./addresses.ts";

describe("isPublicAddress", () => {
  it.each(["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"])("%s is", (a) =>
    expect(isPublicAddress(a)).toBe(true),
  );
  it.each([
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "2002:7f00:1::",
    "2001:db8::1",
    "ff02::1",
    "not an address",
  ])("%s is not", (a) => expect(isPublicAddress(a)).toBe(false));
});

describe("refusedUrl", () => {
  it.each([
    ["https://hooks.example.com/x", [], undefined],
    ["https://hooks.example.com:8443/x", [], undefined],
    ["http://hooks.example.com/x", [], "over https only"],
    ["http://hooks.example.com/x", ["hooks.example.com"], undefined],
    ["http://127.0.0.1:4318/v1/traces", ["127.0.0.1:4318"], undefined],
    ["http://127.0.0.1:4319/v1/traces", ["127.0.0.1:4318"], "over https only"],
    ["https://127.0.0.1/", [], "no public address"],
    // The parser makes one address of all its spellings.
    ["https://0x7f.1/", [], "no public address"],
    ["https://2130706433/", [], "no public address"],
    ["https://[::1]/", [], "no public address"],
    ["https://[::ffff:10.0.0.1]/", [], "no public address"],
    ["https://[::1]:4318/", ["[::1]:4318"], undefined],
    ["https://user:pass@example.com/", [], "credentials"],
    ["file:///etc/passwd", [], "neither http nor https"],
    ["https://evil-hooks.example.com/", ["hooks.example.com"], undefined],
    ["http://evil-hooks.example.com/", ["hooks.example.com"], "over https only"],
  ])("%s with %j: %s", (url, allowHosts, refused) => {
    const answer = refusedUrl(new URL(url), allowHosts);
    if (refused === undefined) expect(answer).toBeUndefined();
    else expect(answer).toContain(refused);
  });
});
