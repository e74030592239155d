/** Energy of a call, where a vendor or host declares what it draws. */
import { roundHalfEven } from "./money.ts";
import { inputTokens, type Usage } from "./usage.ts";

/** As declared: nano-watt-hours per token, and milliwatts drawn for the time of a call, shared by `parallel` calls. */
export interface Energy {
  readonly inputNwh: bigint;
  readonly outputNwh: bigint;
  readonly milliwatts: bigint;
  readonly parallel: number;
}

const nanoPerMilli = 1_000_000n;
const microsecondsPerHour = 3_600_000_000n;

/** Milliwatt-hours, half to even; cached input counts as input. */
export function energyOf(usage: Usage, energy: Energy, durationMs = 0): number {
  const output = usage.output + (usage.audio_output ?? 0) + (usage.image_output ?? 0);
  const tokens = BigInt(inputTokens(usage)) * energy.inputNwh + BigInt(output) * energy.outputNwh;
  const share = microsecondsPerHour * BigInt(energy.parallel);
  const drawn = energy.milliwatts * BigInt(Math.round(durationMs * 1000)) * nanoPerMilli;
  return Number(roundHalfEven(tokens * share + drawn, nanoPerMilli * share));
}
