/** Harmless English of a given length, the same for the same seed: no personal data, so that guards scan it to the end. */
const words =
  "the loan is repaid in monthly parts and a customer may ask for a shorter term at any branch while the fee stays as agreed because interest follows the reference rate which our bank publishes every quarter in its price list".split(
    " ",
  );

export function prose(seed: number, length: number): string {
  let state = (seed + 1) * 2_654_435_761;
  let text = "";
  while (text.length < length) {
    // Xorshift (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text += `${words[(state >>> 0) % words.length]!}${(state & 15) === 0 ? ". " : " "}`;
  }
  return text.slice(0, length);
}
