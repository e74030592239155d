/** What a price list says, as the configuration writes it: decimal USD, per million tokens or per use. */
import type { ServiceClass, TokenMeter } from "../kernel/usage.ts";

export type PricedClass = Exclude<ServiceClass, "standard">;

/** USD per million tokens. */
type TokenFigures = Partial<Record<TokenMeter, string>>;

/** Of a request with more than `above` input tokens; what is left out is as below it. */
type TierFigures = TokenFigures & { above: number };

/** What is left out is the standard rate times `factor` ("5/3"). */
export type ClassFigures = TokenFigures & { factor?: string };

export interface PriceFigures extends TokenFigures {
  input: string;
  output: string;
  /** In force from this day on, UTC. */
  from?: string;
  /** Of each day in UTC. */
  hours?: { from: string; until: string };
  tiers?: TierFigures[];
  classes?: Partial<Record<PricedClass, ClassFigures>>;
  /** USD per call of the vendor's web search. */
  web_search?: string;
  /** USD per request. */
  per_request?: string;
}

export interface BookEntry {
  /** Provider and model as the book names them, e.g. `openai/gpt-5.4`. */
  name: string;
  /** The last one in force holds. */
  figures: readonly PriceFigures[];
  maxOutputTokens?: number;
}
