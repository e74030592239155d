/** Ten thousand calls of every kind, the same in each run: what is asked, what the vendor plays, and what it bills. */
import type { Play, PlayUsage, Script } from "../../fixtures/scripted-vendor.ts";
import type { ClientName } from "../dialects/matrix-house.ts";
import { type VendorName, vendorNames } from "../dialects/vendors.ts";
import type { Billed } from "./invoice.ts";

/** What is known of one call of the vendor, beforehand. */
export type Due =
  /** It refused: nothing is billed. */
  | { kind: "nothing" }
  /** It said what it bills. */
  | { kind: "reported"; billed: Billed }
  /** It never came to say it; this is what it would have said. */
  | { kind: "unreported"; would: { input: number; output: number } };

export interface Act {
  index: number;
  client: ClientName;
  vendor: VendorName;
  useCase: string;
  stream: boolean;
  text: string;
  n?: number;
  /** The client goes: from a stream once it has heard all but its end, else while the vendor still thinks. */
  aborts: boolean;
  scripts: Script[];
  dues: Due[];
}

/** Mulberry32. */
function seeded(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(next() * n);
  return {
    chance: (share: number) => next() < share,
    below,
    pick: <T>(list: readonly T[]): T => list[below(list.length)]!,
  };
}
type Random = ReturnType<typeof seeded>;

const sentences = [
  "A sight deposit is money that you can take out at any time.",
  "The rate for twelve months is 1.25 % and is credited at the end of the term.",
  "Bitte reichen Sie die Gehaltsabrechnungen der letzten drei Monate ein.",
  "In accordance with the General Terms and Conditions, early repayment is possible against compensation.",
  "Überweisungen innerhalb des SEPA-Raums dauern höchstens einen Geschäftstag.",
  '{"iban": "DE02120300000000202051", "amount": 1250.5, "currency": "EUR"}',
  "You asked whether the card works abroad: yes, wherever the logo is shown; a fee of 1.5 % applies.",
  "Le taux est fixe pendant toute la durée du contrat.",
];
/** Stands at the end of every answer. */
export const lastWord = "finis";

const prose = (random: Random, most: number): string =>
  Array.from({ length: 1 + random.below(most) }, () => random.pick(sentences)).join(" ");

/** A stand-in for vendors' own counting: words in pieces of at most seven letters, digits by three, each mark alone. */
export const yardstick = (text: string): number => (text.match(/\p{L}{1,7}|\p{N}{1,3}|[^\s\p{L}\p{N}]/gu) ?? []).length;

/** Meters that a dialect can report beside input, cached input and output. */
const meters: Record<VendorName, readonly (keyof PlayUsage)[]> = {
  "openai-chat": ["cacheWrite", "reasoning", "audioInput", "audioOutput", "serviceClass"],
  "openai-responses": ["cacheWrite", "cacheWrite1h", "reasoning", "serviceClass"],
  "anthropic-messages": ["cacheWrite", "cacheWrite1h", "reasoning", "serviceClass"],
  gemini: ["reasoning", "audioInput", "audioOutput", "serviceClass"],
  "bedrock-converse": ["cacheWrite", "cacheWrite1h", "serviceClass"],
  cohere: [],
};

/** The use case whose vendor counts what was really said. */
export const truthfulOf = (vendor: VendorName): string => `truthful-${vendor}`;

function usageOf(random: Random, vendor: VendorName): PlayUsage {
  // Nothing at all is a report too.
  if (random.chance(0.02)) return { input: 0, output: 0 };
  const usage: PlayUsage = {
    input: random.chance(0.3) ? 1990 + random.below(20) : 1 + random.below(1500),
    output: 1 + random.below(900),
  };
  if (random.chance(0.4)) usage.cached = random.below(3000);
  const known = new Set(meters[vendor]);
  const sometimes = (meter: keyof PlayUsage, share: number) => known.has(meter) && random.chance(share);
  if (sometimes("cacheWrite", 0.3)) usage.cacheWrite = 1 + random.below(2500);
  if (sometimes("cacheWrite1h", 0.2)) usage.cacheWrite1h = 1 + random.below(2500);
  if (sometimes("reasoning", 0.4)) usage.reasoning = 1 + random.below(usage.output);
  if (sometimes("audioInput", 0.15)) usage.audioInput = 1 + random.below(400);
  if (sometimes("audioOutput", 0.15)) usage.audioOutput = 1 + random.below(400);
  if (sometimes("serviceClass", 0.3)) {
    // Anthropic knows no flex.
    const classes = (["standard", "priority", "flex"] as const).slice(0, vendor === "anthropic-messages" ? 2 : 3);
    usage.serviceClass = random.pick(classes);
  }
  return usage;
}

function billedOf(usage: PlayUsage, vendor: VendorName): Billed {
  const { input, cached = 0, output, serviceClass } = usage;
  const whole = vendor === "cohere";
  return {
    input: whole ? input + cached : input,
    cached_input: whole ? 0 : cached,
    output,
    ...(usage.cacheWrite !== undefined && { cache_write: usage.cacheWrite }),
    ...(usage.cacheWrite1h !== undefined && { cache_write_1h: usage.cacheWrite1h }),
    ...(usage.reasoning !== undefined && { reasoning: usage.reasoning }),
    ...(usage.audioInput !== undefined && { audio_input: usage.audioInput }),
    ...(usage.audioOutput !== undefined && { audio_output: usage.audioOutput }),
    ...(serviceClass !== undefined && { service_class: serviceClass }),
  };
}

const refusals = [429, 500, 503, 529] as const;
const refusal = (random: Random): Script => {
  const status = random.pick(refusals);
  return { status, ...(status === 429 && { headers: { "retry-after-ms": "5" } }) };
};

export function actsOf(count: number, seed: number): Act[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => actOf(index, random));
}

function actOf(index: number, random: Random): Act {
  const client = random.pick(["openai-chat", "openai-chat", "openai-responses", "anthropic-messages"] as const);
  const vendor = random.pick(vendorNames);
  // Where usage is made up, Weir can't learn to estimate it: what is to be estimated has models of its own, whose
  // vendors count what was really said.
  const truthful = random.chance(0.35);
  const act: Act = {
    index,
    client,
    vendor,
    useCase: truthful ? truthfulOf(vendor) : vendor,
    stream: random.chance(0.5),
    text: `#${index}# ${prose(random, 5)}`,
    aborts: false,
    scripts: [],
    dues: [],
  };
  const asked = yardstick(act.text) + 8;
  if (random.chance(0.12)) addFailures(act, random, truthful ? asked : undefined);
  const said = `${prose(random, 6)} ${lastWord}`;
  const would = { input: asked, output: yardstick(said) };
  const usage = truthful ? would : usageOf(random, vendor);
  const fate = random.below(100);
  if (truthful && fate < 12) addOdd(act, { text: said }, would);
  else if (truthful && fate < 40 && act.stream) {
    act.aborts = true;
    addOdd(act, { text: said, ending: "hang", usage: would }, would);
  } else if (truthful && fate < 52 && act.stream) {
    const ending = random.pick(["truncate", "reset", "error-event"] as const);
    addOdd(act, { text: said, ending, usage: would }, would);
  } else if (truthful && fate >= 12 && fate < 24 && !act.stream) {
    act.aborts = true;
    act.scripts.push({ hang: "before-headers" });
    act.dues.push({ kind: "unreported", would: { input: asked, output: 0 } });
  } else if (fate > 97) {
    while (act.scripts.length < 3) addRefusal(act, random);
  } else {
    const several = !truthful && random.chance(0.2) && canSeveral(act);
    if (several) act.n = 2;
    act.scripts.push({ text: said, usage, ...(several && { others: [prose(random, 2)] }) });
    act.dues.push({ kind: "reported", billed: billedOf(usage, vendor) });
  }
  return act;
}

const canSeveral = ({ client, vendor }: Act): boolean =>
  client === "openai-chat" && (vendor === "openai-chat" || vendor === "gemini");

function addRefusal(act: Act, random: Random): void {
  act.scripts.push(refusal(random));
  act.dues.push({ kind: "nothing" });
}

/** Before it answers, the vendor refuses or breaks once or twice; Weir tries again. */
function addFailures(act: Act, random: Random, asked: number | undefined): void {
  for (let left = 1 + random.below(2); left > 0; left--) {
    if (asked === undefined || random.chance(0.5)) addRefusal(act, random);
    else if (act.stream) addOdd(act, { ending: "truncate", silent: true }, { input: asked, output: 0 });
    else
      addOdd(act, { text: lastWord, ending: "reset", usage: { input: asked, output: 1 } }, { input: asked, output: 1 });
  }
}

function addOdd(act: Act, play: Play, would: { input: number; output: number }): void {
  // Anthropic counts the prompt when it begins, and an answer without a count isn't its own.
  const reports = act.vendor === "anthropic-messages";
  const usage = play.usage ?? (reports ? would : undefined);
  act.scripts.push({ ...play, ...(usage && { usage }) });
  if (reports && play.ending === undefined) {
    act.dues.push({ kind: "reported", billed: { ...would, cached_input: 0 } });
  } else act.dues.push({ kind: "unreported", would });
}
