/**
 * The RFC 6962 tree: leaf hash SHA-256(0x00 ‖ bytes), node hash SHA-256(0x01 ‖ left ‖ right). Hashes of perfect subtrees
 * are named (level, index): level 0 are leaves, (level, index) covers leaves [index·2^level, (index+1)·2^level).
 */
import { hash } from "node:crypto";

export type NodeAt = (level: number, index: number) => Buffer;

/** Half the time of asking `hash` for a Buffer (0.65 against 1.25 µs for 500 bytes, Node 26.10). */
export const sha256 = (bytes: Uint8Array): Buffer => Buffer.from(hash("sha256", bytes, "latin1"), "latin1");

export const hashBytes = 32;
const pair = Buffer.alloc(1 + 2 * hashBytes, 1);

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 33);
  return sha256(pair);
}

/** Puts the hash of `bytes` at `at`: no Buffer of its own per hash. */
export function sha256Into(target: Buffer, at: number, bytes: Uint8Array): void {
  target.write(hash("sha256", bytes, "latin1"), at, "latin1");
}

/** Replaces the hash at `at` by that of the node whose left side is `left` and whose right side it was. */
export function joinInto(target: Buffer, at: number, left: Uint8Array): void {
  pair.set(left, 1);
  target.copy(pair, 1 + hashBytes, at, at + hashBytes);
  sha256Into(target, at, pair);
}

/** `prefixed` already starts with the 0x00 byte: entries are stored that way, which saves a copy. */
export const leafHashOfPrefixed = (prefixed: Uint8Array): Buffer => sha256(prefixed);
export const leafHash = (bytes: Uint8Array): Buffer => leafHashOfPrefixed(Buffer.concat([Buffer.alloc(1), bytes]));
export const emptyRoot = (): Buffer => sha256(new Uint8Array());

/** Calls `visit` for the perfect subtrees that make up leaves [from, from + count), left to right. */
function coverOf(from: number, count: number): { level: number; index: number }[] {
  const cover: { level: number; index: number }[] = [];
  let at = from;
  let left = count;
  while (left > 0) {
    const level = Math.floor(Math.log2(left));
    cover.push({ level, index: at / 2 ** level });
    at += 2 ** level;
    left -= 2 ** level;
  }
  return cover;
}

/** Root over leaves [from, from + count); `from` is a multiple of the largest power of two in `count`. */
export function rangeHash(from: number, count: number, nodeAt: NodeAt): Buffer {
  const parts = coverOf(from, count).map(({ level, index }) => nodeAt(level, index));
  return foldRight(parts);
}

export function foldRight(parts: readonly Buffer[]): Buffer {
  let root = parts.at(-1);
  if (!root) return emptyRoot();
  for (let i = parts.length - 2; i >= 0; i--) root = nodeHash(parts[i]!, root);
  return root;
}

const splitOf = (count: number): number => 2 ** Math.ceil(Math.log2(count) - 1);

/** RFC 6962 §2.1.1, PATH(index, D[0:size]); bottom-up. */
export function inclusionProof(index: number, size: number, nodeAt: NodeAt): Buffer[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const proof: Buffer[] = [];
  let from = 0;
  let count = size;
  while (count > 1) {
    const split = splitOf(count);
    if (index < from + split) {
      proof.push(rangeHash(from + split, count - split, nodeAt));
      count = split;
    } else {
      proof.push(rangeHash(from, split, nodeAt));
      from += split;
      count -= split;
    }
  }
  return proof.toReversed();
}

/** RFC 6962 §2.1.2, PROOF(first, D[0:second]). */
export function consistencyProof(first: number, second: number, nodeAt: NodeAt): Buffer[] {
  if (!(first >= 0 && first <= second)) throw new RangeError(`a tree of ${first} does not precede one of ${second}`);
  if (first === 0 || first === second) return [];
  const subProof = (m: number, from: number, count: number, whole: boolean): Buffer[] => {
    if (m === count) return whole ? [] : [rangeHash(from, count, nodeAt)];
    const split = splitOf(count);
    if (m <= split) return [...subProof(m, from, split, whole), rangeHash(from + split, count - split, nodeAt)];
    return [...subProof(m - split, from + split, count - split, false), rangeHash(from, split, nodeAt)];
  };
  return subProof(first, 0, second, true);
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!(index >= 0 && index < size)) return false;
  let fn = index;
  let sn = size - 1;
  let at: Uint8Array = leaf;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      at = nodeHash(sibling, at);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else at = nodeHash(at, sibling);
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && Buffer.compare(at, root) === 0;
}

/** RFC 9162 §2.1.4.2. */
export function verifyConsistency(
  first: number,
  second: number,
  proof: readonly Uint8Array[],
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
): boolean {
  if (first === second) return proof.length === 0 && Buffer.compare(firstRoot, secondRoot) === 0;
  if (first === 0) return proof.length === 0;
  if (first > second || proof.length === 0) return false;
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : proof;
  let fn = first - 1;
  let sn = second - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let fr = path[0]!;
  let sr = path[0]!;
  for (const hashed of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(hashed, fr);
      sr = nodeHash(hashed, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else sr = nodeHash(sr, hashed);
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && Buffer.compare(fr, firstRoot) === 0 && Buffer.compare(sr, secondRoot) === 0;
}
