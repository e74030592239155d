import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  rangeHash,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";
import { edgeTilesOf, hashesIn, type Tile, TreeEdge, tilesOf } from "./tiles.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");
// The inputs and roots that Certificate Transparency's own tests use.
const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(
  hex,
);
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/** RFC 6962 §2.1 as written: the slow, obvious oracle. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}
const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
const nodesOf =
  (leaves: readonly Buffer[]) =>
  (level: number, index: number): Buffer =>
    rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
const byPlace = (a: { level: number; index: number }, b: { level: number; index: number }) =>
  a.level - b.level || a.index - b.index;
function grown(leaves: readonly Buffer[], tiles: Tile[] = []): TreeEdge {
  const edge = new TreeEdge((tile) => tiles.push(tile));
  for (const leaf of leaves) edge.push(leaf);
  return edge;
}

describe("the published vectors", () => {
  const leaves = inputs.map((input) => leafHash(input));
  it.each(roots.map((root, i) => [i + 1, root] as const))("root of %i leaves", (count, root) => {
    expect(grown(leaves.slice(0, count)).root().toString("hex")).toBe(root);
    expect(rangeHash(0, count, nodesOf(leaves)).toString("hex")).toBe(root);
  });
  it("root of the empty tree", () => {
    expect(emptyRoot().toString("hex")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(new TreeEdge().root()).toEqual(emptyRoot());
  });
  it.each([
    [
      0,
      8,
      [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ],
    ],
    [
      5,
      8,
      [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ],
    ],
    [2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]],
  ])("audit path of leaf %i of %i", (index, size, path) => {
    expect(inclusionProof(index, size, nodesOf(leaves)).map((hash) => hash.toString("hex"))).toEqual(path);
  });
  it.each([
    [1, 1, []],
    [
      1,
      8,
      [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ],
    ],
    [
      2,
      5,
      [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ],
    ],
  ])("consistency of %i and %i", (first, second, path) => {
    expect(consistencyProof(first, second, nodesOf(leaves)).map((hash) => hash.toString("hex"))).toEqual(path);
  });
});

const size = fc.integer({ min: 1, max: 70 });

describe("laws", () => {
  it("every leaf is proven in every tree, and by no other leaf, place or root", () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (count, pick, other) => {
        const leaves = leavesOf(count);
        const index = pick % count;
        const root = rootOf(leaves);
        const proof = inclusionProof(index, count, nodesOf(leaves));
        expect(verifyInclusion(leaves[index]!, index, count, proof, root)).toBe(true);
        expect(verifyInclusion(leafHash(Buffer.from("other")), index, count, proof, root)).toBe(false);
        const elsewhere = other % count;
        expect(verifyInclusion(leaves[index]!, elsewhere, count, proof, root)).toBe(elsewhere === index);
        expect(verifyInclusion(leaves[index]!, index, count, [...proof, root], root)).toBe(false);
        for (let i = 0; i < proof.length; i++) {
          const changed = proof.map((hash, at) => (at === i ? Buffer.from(hash.map((byte) => byte ^ 1)) : hash));
          expect(verifyInclusion(leaves[index]!, index, count, changed, root)).toBe(false);
        }
      }),
    );
  });

  it("every earlier tree is consistent with every later one, and no other is", () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (count, pick, change) => {
        const leaves = leavesOf(count);
        const first = 1 + (pick % count);
        const roots = [rootOf(leaves.slice(0, first)), rootOf(leaves)] as const;
        const proof = consistencyProof(first, count, nodesOf(leaves));
        expect(verifyConsistency(first, count, proof, ...roots)).toBe(true);
        const forged = leaves.with(change % first, leafHash(Buffer.from("forged")));
        const forgedProof = consistencyProof(first, count, nodesOf(forged));
        expect(verifyConsistency(first, count, forgedProof, roots[0], rootOf(forged))).toBe(false);
        expect(verifyConsistency(first, count, proof, roots[0], rootOf(forged))).toBe(false);
      }),
    );
  });

  it("the edge has the tree's root at every size, also when restored there", () => {
    const leaves = leavesOf(600);
    for (const at of [0, 1, 2, 255, 256, 257, 511, 512, 513, 600]) {
      const edge = grown(leaves.slice(0, at));
      expect(edge.root()).toEqual(rootOf(leaves.slice(0, at)));
      const restored = TreeEdge.restore(at, edge.unfinished());
      for (const leaf of leaves.slice(at)) restored.push(leaf);
      expect(restored.root()).toEqual(rootOf(leaves));
      expect(restored.size).toBe(600);
    }
  });

  it("finishes the tiles that a tree has, with the hashes of their level", () => {
    const leaves = leavesOf(256 * 3 + 5);
    const tiles: Tile[] = [];
    const edge = grown(leaves, tiles);
    const all = [...tiles, ...edge.partialTiles()].map(({ level, index, hashes }) => ({
      level,
      index,
      width: hashesIn(hashes),
    }));
    expect(all.sort(byPlace)).toEqual([...tilesOf(leaves.length)]);
    expect(edgeTilesOf(leaves.length)).toEqual([...tilesOf(leaves.length)].filter(({ width }) => width < 256));
    expect(edge.partialTiles().find(({ level }) => level === 1)!.hashes).toEqual(
      Buffer.concat([0, 1, 2].map((i) => nodesOf(leaves)(8, i))),
    );
  });
});
