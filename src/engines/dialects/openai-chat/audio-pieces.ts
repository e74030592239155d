/**
 * Streamed speech comes in pieces of base64, each padded for itself: put end to end they are no base64. Here they are
 * cut anew at every third byte, so that all pieces together are one text of base64.
 */
export class AudioPieces {
  #rest: Buffer = Buffer.alloc(0);

  add(data: string): string {
    if (this.#rest.length === 0 && data.length % 4 === 0 && !data.endsWith("=")) return data;
    const bytes = Buffer.concat([this.#rest, Buffer.from(data, "base64")]);
    const whole = bytes.length - (bytes.length % 3);
    this.#rest = bytes.subarray(whole);
    return bytes.toString("base64", 0, whole);
  }

  /** What is left when nothing more comes. */
  end(): string {
    const data = this.#rest.toString("base64");
    this.#rest = Buffer.alloc(0);
    return data;
  }
}
