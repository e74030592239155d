import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Peer, outliersOf } from "./outliers.ts";

const peer = (target: string, over: Partial<Peer> = {}): Peer => ({
  target,
  requests: 50,
  failures: 0,
  out: false,
  ...over,
});
const names = (peers: Peer[]) => outliersOf(peers).map(({ target }) => target);

describe("outliersOf", () => {
  it.each([
    ["nobody is worse", [peer("a"), peer("b")], []],
    ["one fails, the other doesn't", [peer("a", { failures: 20 }), peer("b")], ["a"]],
    ["both fail alike: the trouble is elsewhere", [peer("a", { failures: 25 }), peer("b", { failures: 25 })], []],
    ["too few calls to tell", [peer("a", { requests: 9, failures: 9 }), peer("b")], []],
    ["no peer to compare with", [peer("a", { failures: 50 })], []],
    ["a peer that is out is no measure", [peer("a", { failures: 50 }), peer("b", { out: true })], []],
    [
      "one is three times as slow",
      [peer("a", { latencyMs: 3_000 }), peer("b", { latencyMs: 900 }), peer("c", { latencyMs: 1_000 })],
      ["a"],
    ],
    ["three times next to nothing is nothing", [peer("a", { latencyMs: 30 }), peer("b", { latencyMs: 9 })], []],
  ] as [string, Peer[], string[]][])("%s", (_what, peers, out) => expect(names(peers)).toEqual(out));

  it("law: never more than half are out, whatever they do", () => {
    const any = fc.record({
      requests: fc.nat(100),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      latencyMs: fc.nat(20_000),
      out: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 16 }), (made) => {
        const peers = made.map(({ requests, share, latencyMs, out }, i) =>
          peer(String(i), { requests, failures: Math.floor(requests * share), latencyMs, out }),
        );
        const before = peers.filter(({ out }) => out).length;
        const after = before + names(peers).length;
        expect(after).toBeLessThanOrEqual(Math.max(before, Math.floor(peers.length / 2)));
      }),
    );
  });
});
