/** Where things lie below the ledger's folder (`<data>/ledger`). */
import { LedgerError } from "./errors.ts";

const nodeName = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function checkNodeName(node: string): void {
  if (!nodeName.test(node))
    throw new LedgerError("ledger_invalid", `node name "${node}": use 1 to 63 of a-z, 0-9 and "-", not "-" first`);
}

export const segmentFolder = (dir: string, node: string): string => `${dir}/${node}/segments`;
const segmentName = (segment: number): string => `${String(segment).padStart(8, "0")}.wj`;
export const segmentPath = (dir: string, node: string, segment: number): string =>
  `${segmentFolder(dir, node)}/${segmentName(segment)}`;
export function segmentOf(fileName: string): number | undefined {
  const match = /^(\d{8})\.wj$/.exec(fileName);
  return match ? Number(match[1]) : undefined;
}

export const checkpointPath = (dir: string, node: string): string => `${dir}/${node}/checkpoint`;
/** The C2SP verifier key of the log; a convenience, since a key beside the log proves nothing. */
export const verifierPath = (dir: string, node: string): string => `${dir}/${node}/log.pub`;
export const lockPath = (dir: string, node: string): string => `${dir}/${node}/lock`;
export const keysPath = (dir: string, node: string): string => `${dir}/${node}/keys.log`;
export const ringPath = (dir: string): string => `${dir}/ring.json`;

/** C2SP tlog-tiles: the index in groups of three digits, all but the last marked with "x". */
export function tilePath(dir: string, node: string, level: number, index: number, width = 256): string {
  let name = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    name = `x${String(rest % 1000).padStart(3, "0")}/${name}`;
  return `${dir}/${node}/tile/${level}/${name}${width === 256 ? "" : `.p/${width}`}`;
}

export const originOf = (install: string, node: string): string => `weir/${install}/${node}`;
