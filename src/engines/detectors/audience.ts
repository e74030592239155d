/** Detectors by the cue that they wait for. */
import { cardSecurityCode } from "./card-security-code.ts";
import { card } from "./card.ts";
import { email } from "./email.ts";
import { iban } from "./iban.ts";
import { nationalId } from "./national-id.ts";
import { phone } from "./phone.ts";
import type { Detector, DetectorName } from "./port.ts";
import { secret } from "./secret.ts";

export interface Audience {
  number: readonly Detector[];
  at: readonly Detector[];
  token: readonly Detector[];
  assignment: readonly Detector[];
  landmark: readonly Detector[];
}

export const detectors: readonly Detector[] = [card, iban, nationalId, cardSecurityCode, secret, email, phone];

const known = new WeakMap<ReadonlySet<DetectorName>, Audience>();

/** `wanted` must not change afterwards. */
export function audienceOf(wanted: ReadonlySet<DetectorName>): Audience {
  let audience = known.get(wanted);
  if (audience === undefined) {
    const active = detectors.filter((detector) => wanted.has(detector.name));
    audience = {
      number: active.filter((detector) => detector.onNumber !== undefined),
      at: active.filter((detector) => detector.onAt !== undefined),
      token: active.filter((detector) => detector.onToken !== undefined),
      assignment: active.filter((detector) => detector.onAssignment !== undefined),
      landmark: active.filter((detector) => detector.onLandmark !== undefined),
    };
    known.set(wanted, audience);
  }
  return audience;
}
