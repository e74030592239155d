/** Puts the open members of a pool into the order in which they are tried, and notes by what they were compared. */
import type { PoolStrategy } from "../../kernel/snapshot.ts";
import { type Candidate, expectedCost, nameOf } from "./candidate.ts";
import type { Facts } from "./facts.ts";

type Figures = Record<string, number>;

/** What orders a member: smaller is earlier. */
interface Rank {
  rank: number;
  figures: Figures;
}

/** A target that is never asked again would never be seen to have become faster: so many decisions ask another one. */
const exploredShare = 0.02;

export function orderPool(facts: Facts, strategy: PoolStrategy, members: readonly Candidate[]): Candidate[] {
  const ranks = new Map(members.map((member, place) => [member, ranked[strategy](facts, member, place)] as const));
  const ordered = members.toSorted((a, b) => ranks.get(a)!.rank - ranks.get(b)!.rank);
  if (strategy === "least-loaded") preferOneOfTwo(facts, ordered);
  if (strategy === "fastest" && explores(facts)) toFront(ordered, Math.floor(facts.d.clock.random() * ordered.length));
  // One whose keys all rest is asked when nobody else is left.
  const result = [...ordered.filter(({ cooling }) => !cooling), ...ordered.filter(({ cooling }) => cooling)];
  for (const [place, member] of result.entries()) {
    const { figures } = ranks.get(member)!;
    const share = member.elsewhere?.state?.share ?? 1;
    member.reason.pool = {
      strategy,
      place: place + 1,
      ...figuresOf({ ...figures, ...(share < 1 && { slow_start_share: share }) }),
    };
    if (member.cooling) member.reason.detail = "its keys are cooling down, so it comes after the others";
  }
  return result;
}

const ranked: Record<PoolStrategy, (facts: Facts, member: Candidate, place: number) => Rank> = {
  first: (_facts, _member, place) => ({ rank: place, figures: {} }),
  // A draw without replacement by weight (Efraimidis, Spirakis 2006): the smallest exponential variate comes first.
  weighted(facts, member) {
    const weight = weightOf(member);
    return { rank: -Math.log(1 - facts.d.clock.random()) / weight, figures: { weight } };
  },
  "least-loaded"(_facts, member) {
    const state = member.elsewhere?.state;
    const load = (state?.load ?? 0) / (member.member?.weight ?? 1);
    return { rank: load, figures: { load_ms: load, in_flight: state?.inFlight ?? 0 } };
  },
  cheapest(facts, member) {
    const cost = expectedCost(facts, member);
    return { rank: cost, figures: { expected_nano_usd: cost } };
  },
  fastest(facts, member) {
    const state = member.elsewhere?.state;
    const stream = facts.d.request?.stream === true && member.rung.commit === "first-byte";
    const ms = stream ? state?.ttftMs : state?.totalMs;
    // Unknown is tried first, but not where nothing may be tried out.
    const unknown = facts.d.useCase.risk === "high" ? Infinity : 0;
    return {
      rank: (ms ?? unknown) / (state?.share ?? 1),
      figures: ms === undefined ? {} : stream ? { ttft_ms: ms } : { total_ms: ms },
    };
  },
  "by-length"(facts, member) {
    const most = member.member?.upToTokens ?? member.elsewhere?.model.contextTokens ?? Number.MAX_SAFE_INTEGER;
    return { rank: most, figures: { input_tokens: facts.tokens, up_to_tokens: most } };
  },
  // Rendezvous hashing: when a member comes or goes, only its own share moves.
  sticky(facts, member) {
    const { d } = facts;
    const weight = member.member?.weight ?? 1;
    const drawn = hashShare(`${d.session ?? d.subject ?? d.principal.id}\n${nameOf(member)}`);
    return { rank: -Math.log(drawn) / weight, figures: { weight } };
  },
};

/** Its weight, little by little after it came back. */
const weightOf = (member: Candidate): number => (member.member?.weight ?? 1) * (member.elsewhere?.state?.share ?? 1);

const explores = ({ d }: Facts): boolean => d.useCase.risk !== "high" && d.clock.random() < exploredShare;

/** The power of two choices: the better of two drawn at random, so that not everybody runs to the same best one. */
function preferOneOfTwo(facts: Facts, ordered: Candidate[]): void {
  if (ordered.length < 3) return;
  const { clock } = facts.d;
  const one = Math.floor(clock.random() * ordered.length);
  let other = Math.floor(clock.random() * (ordered.length - 1));
  if (other >= one) other += 1;
  toFront(ordered, Math.min(one, other));
}

function toFront(ordered: Candidate[], at: number): void {
  ordered.unshift(...ordered.splice(at, 1));
}

function figuresOf(figures: Figures): { figures?: Figures } {
  const finite = Object.entries(figures).filter(([, figure]) => Number.isFinite(figure));
  if (finite.length === 0) return {};
  return { figures: Object.fromEntries(finite.map(([name, figure]) => [name, Math.round(figure * 1000) / 1000])) };
}

/** FNV-1a with a final mix, in (0, 1): the same in every process. */
function hashShare(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 + 2 ** -33;
}
