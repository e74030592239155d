/** Whether the server answers: written by every request and stream, read by the status bar. */
export interface Connection {
  state: "ok" | "lost";
  sinceMs: number;
}

let current: Connection = { state: "ok", sinceMs: Date.now() };
const listeners = new Set<() => void>();

export function reportConnection(state: Connection["state"]): void {
  if (state === current.state) return;
  current = { state, sinceMs: Date.now() };
  for (const listener of listeners) listener();
}

export const readConnection = (): Connection => current;

export function watchConnection(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
