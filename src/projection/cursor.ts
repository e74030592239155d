/** Cursors are opaque to clients and checked on the way in. */
import { isDecisionId } from "../kernel/ids.ts";
import type { PageCursor } from "./port.ts";

export const encodePageCursor = (cursor: PageCursor): string =>
  Buffer.from(`${cursor.atMs}.${cursor.decisionId}`).toString("base64url");

/** `undefined` when the text is no cursor of ours. */
export function parsePageCursor(text: string): PageCursor | undefined {
  if (!/^[\w-]{1,100}$/.test(text)) return undefined;
  const match = /^(\d{1,16})\.(dec_\w+)$/.exec(Buffer.from(text, "base64url").toString());
  if (!match || !isDecisionId(match[2]!)) return undefined;
  const atMs = Number(match[1]);
  return Number.isSafeInteger(atMs) ? { atMs, decisionId: match[2]! } : undefined;
}

export function parseArrivalCursor(text: string): { generation: string; arrival: number } | undefined {
  const match = /^([0-9a-z]{1,32})\.(\d{1,15})$/.exec(text);
  return match ? { generation: match[1]!, arrival: Number(match[2]) } : undefined;
}
