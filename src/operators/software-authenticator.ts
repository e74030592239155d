/** A passkey in software, for tests: Ed25519, "none" attestation, user verified. CBOR only as far as WebAuthn needs it. */
import { generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";

const bytes = (text: string): Buffer => Buffer.from(text);
const b64 = (data: Uint8Array): string => Buffer.from(data).toString("base64url");
const sha256 = (data: Uint8Array): Buffer => hash("sha256", data, "buffer");

const head = (major: number, n: number): Buffer =>
  n < 24
    ? Buffer.from([(major << 5) | n])
    : n < 256
      ? Buffer.from([(major << 5) | 24, n])
      : Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
const cborInt = (n: number): Buffer => (n >= 0 ? head(0, n) : head(1, -1 - n));
const cborBytes = (data: Buffer): Buffer => Buffer.concat([head(2, data.length), data]);
const cborText = (text: string): Buffer => Buffer.concat([head(3, text.length), bytes(text)]);
const cborMap = (pairs: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([head(5, pairs.length), ...pairs.flat()]);

export class SoftwareAuthenticator {
  readonly #key: KeyObject;
  readonly #cose: Buffer;
  readonly #id: Buffer;
  counter = 0;

  constructor(id = "credential-1") {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#key = privateKey;
    this.#id = bytes(id);
    const x = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url");
    this.#cose = cborMap([
      [cborInt(1), cborInt(1)],
      [cborInt(3), cborInt(-8)],
      [cborInt(-1), cborInt(6)],
      [cborInt(-2), cborBytes(x)],
    ]);
  }

  register(options: { challenge: string }, origin: string) {
    const client = this.#client("webauthn.create", options.challenge, origin);
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.#id.length]), this.#id, this.#cose]);
    const authData = Buffer.concat([this.#authData(origin, 0x45), credential]);
    const attestation = cborMap([
      [cborText("fmt"), cborText("none")],
      [cborText("attStmt"), cborMap([])],
      [cborText("authData"), cborBytes(authData)],
    ]);
    return this.#answer({ clientDataJSON: b64(client), attestationObject: b64(attestation) });
  }

  authenticate(options: { challenge: string }, origin: string) {
    const client = this.#client("webauthn.get", options.challenge, origin);
    this.counter++;
    const authData = this.#authData(origin, 0x05);
    const signature = sign(null, Buffer.concat([authData, sha256(client)]), this.#key);
    return this.#answer({ clientDataJSON: b64(client), authenticatorData: b64(authData), signature: b64(signature) });
  }

  #client(type: string, challenge: string, origin: string): Buffer {
    return bytes(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }
  #authData(origin: string, flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([sha256(bytes(new URL(origin).hostname)), Buffer.from([flags]), counter]);
  }
  #answer<Response>(response: Response) {
    const id = b64(this.#id);
    return { id, rawId: id, type: "public-key" as const, response, clientExtensionResults: {} };
  }
}
