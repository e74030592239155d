/** Which of several targets for the same purpose does clearly worse than its peers. */
export interface Peer {
  target: string;
  /** Over the last minute. */
  requests: number;
  failures: number;
  latencyMs?: number;
  /** Already ejected, or its breaker is open. */
  out: boolean;
}

const leastRequests = 10;
/** A member fails clearly more often than its peers when it is this much above their mean. */
const failureMargin = 0.3;
const latencyFactor = 3;
const leastLatencyGapMs = 500;
/** At most this part of a pool is out at a time. */
const mostOut = 0.5;

export function outliersOf(peers: readonly Peer[]): { target: string; why: string }[] {
  let room = Math.floor(peers.length * mostOut) - peers.filter((peer) => peer.out).length;
  const ejected: { target: string; why: string }[] = [];
  const candidates = peers.filter((peer) => !peer.out && peer.requests >= leastRequests);
  // The worst first, since there may not be room for all.
  for (const peer of candidates.toSorted((a, b) => rateOf(b) - rateOf(a))) {
    if (room <= 0) break;
    const others = peers.filter((other) => other !== peer && !other.out && other.requests >= leastRequests);
    if (others.length === 0) continue;
    const why = worseThan(peer, others);
    if (why === undefined) continue;
    ejected.push({ target: peer.target, why });
    room -= 1;
  }
  return ejected;
}

const rateOf = ({ requests, failures }: Peer): number => (requests === 0 ? 0 : failures / requests);

function worseThan(peer: Peer, others: readonly Peer[]): string | undefined {
  const rate = rateOf(peer);
  const usual = others.reduce((sum, other) => sum + rateOf(other), 0) / others.length;
  if (rate >= usual + failureMargin) return `${percent(rate)} of its calls fail, of its peers' ${percent(usual)}`;
  const latencies = others.flatMap(({ latencyMs }) => latencyMs ?? []).toSorted((a, b) => a - b);
  const median = latencies[Math.floor((latencies.length - 1) / 2)];
  if (median === undefined || peer.latencyMs === undefined) return undefined;
  if (peer.latencyMs >= latencyFactor * median && peer.latencyMs - median >= leastLatencyGapMs)
    return `it takes ${Math.round(peer.latencyMs)} ms, its peers ${Math.round(median)} ms`;
  return undefined;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
