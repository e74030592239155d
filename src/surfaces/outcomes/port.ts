/** What the outcomes surface asks of the house. */
import type { Clock } from "../../kernel/clock.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { DecisionId } from "../../kernel/ids.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Journal } from "../../ledger/port.ts";

export interface DecisionFacts {
  tenant: string;
  use_case: string;
  environment: string;
  state: string;
}

export interface OutcomePorts {
  clock: Clock;
  journal: Pick<Journal, "append">;
  identify(credential: string | undefined): Principal | Refusal;
  /** A settled decision, whoever made it; undefined where none is known. */
  decisionOf(decision: DecisionId): Promise<DecisionFacts | undefined>;
  /**
   * `OutcomeMeta.digest` of the outcome that stands under this id in this tenant, on whatever decision. May lag behind
   * the journal by some minutes: what this process wrote itself is remembered here.
   */
  known(tenant: string, outcomeId: string): Promise<string | undefined>;
  /** HMAC-SHA256 under the install's key, hex: a plain hash of so little would tell what it hides. */
  digest(data: string): string;
  /** Takes out of a note what may never be recorded, such as card security codes. */
  scrub(text: string): string;
}
