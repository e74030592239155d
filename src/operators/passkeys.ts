/**
 * Passkeys: WebAuthn with discoverable credentials and user verification. Options name no credentials, so they tell
 * nobody who has a passkey. A challenge works once, for five minutes, for one operator and one ceremony.
 */
import { isIP } from "node:net";
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { Clock } from "../kernel/clock.ts";
import { type Refusal, refuse } from "../kernel/errors.ts";
import { actOf, normalName, type Pending, takeTicket } from "./operators.ts";
import type { ControlStores, Operator, Passkey, Ticket } from "./port.ts";
import { newToken, tokenHash } from "./secrets.ts";
import type { IdentityProvider } from "./sign-in.ts";

const challengeMs = 5 * 60_000;

interface PasskeyProof {
  response: AuthenticationResponseJSON;
  /** Of the console, checked to be ours. */
  origin: string;
}

export class Passkeys implements IdentityProvider<PasskeyProof> {
  readonly method = "passkey";
  readonly #stores: ControlStores;
  readonly #clock: Clock;

  constructor({ stores, clock }: { stores: ControlStores; clock: Clock }) {
    this.#stores = stores;
    this.#clock = clock;
  }

  async registrationOptions(operator: Operator, origin: string): Promise<{ challenge: string } | Refusal> {
    const rpID = relyingParty(origin);
    if (typeof rpID !== "string") return rpID;
    const own = await this.#stores.passkeys.of(operator.id);
    return generateRegistrationOptions({
      rpName: "Weir",
      rpID,
      userName: operator.name,
      userID: Uint8Array.from(Buffer.from(operator.id)),
      challenge: await this.#challenge("registration", operator.name),
      timeout: challengeMs,
      excludeCredentials: own.map(({ id, transports }) => ({ id, transports })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
  }

  async register(
    operator: Operator,
    response: RegistrationResponseJSON,
    origin: string,
  ): Promise<Pending<Passkey> | Refusal> {
    const rpID = relyingParty(origin);
    if (typeof rpID !== "string") return rpID;
    const verified = await verifyRegistrationResponse({
      response,
      expectedChallenge: (sent) => this.#isChallenge("registration", sent, operator),
      expectedOrigin: origin,
      expectedRPID: rpID,
    }).catch((error: unknown) => refuse("invalid_request", `The passkey was not accepted: ${reasonOf(error)}`));
    if ("refused" in verified) return verified;
    if (!verified.verified) return refuse("invalid_request", "The passkey's signature does not hold.");
    const { credential } = verified.registrationInfo;
    const passkey: Passkey = {
      id: credential.id,
      operator_id: operator.id,
      public_key: Buffer.from(credential.publicKey).toString("base64url"),
      counter: credential.counter,
      transports: credential.transports ?? [],
      created_at_ms: this.#clock.now(),
    };
    return {
      act: actOf("passkey.register", operator),
      commit: async () => {
        await this.#stores.passkeys.insert(passkey);
        return passkey;
      },
    };
  }

  async authenticationOptions(operatorName: string, origin: string): Promise<{ challenge: string } | Refusal> {
    const rpID = relyingParty(origin);
    if (typeof rpID !== "string") return rpID;
    const challenge = await this.#challenge("authentication", normalName(operatorName) ?? "");
    return generateAuthenticationOptions({ rpID, challenge, timeout: challengeMs, userVerification: "required" });
  }

  async identify({ response, origin }: PasskeyProof): Promise<Operator | Refusal> {
    const rpID = relyingParty(origin);
    if (typeof rpID !== "string") return rpID;
    const passkey = await this.#stores.passkeys.byId(response.id);
    const operator = passkey && (await this.#stores.operators.byId(passkey.operator_id));
    if (!operator || operator.disabled_at_ms !== undefined) return refuse("sign_in_failed");
    const { id, counter } = passkey;
    const verified = await verifyAuthenticationResponse({
      response,
      expectedChallenge: (sent) => this.#isChallenge("authentication", sent, operator),
      expectedOrigin: origin,
      expectedRPID: rpID,
      credential: { id, counter, publicKey: Uint8Array.from(Buffer.from(passkey.public_key, "base64url")) },
    }).catch(() => undefined);
    if (!verified?.verified) return refuse("sign_in_failed");
    await this.#stores.passkeys.setCounter(id, verified.authenticationInfo.newCounter);
    return operator;
  }

  async #challenge(kind: Ticket["kind"], name: string): Promise<Uint8Array<ArrayBuffer>> {
    const token = newToken(this.#clock);
    const now = this.#clock.now();
    await this.#stores.tickets.purge(now);
    await this.#stores.tickets.put({ hash: tokenHash(token), kind, name, expires_at_ms: now + challengeMs });
    return Uint8Array.from(Buffer.from(token, "base64url"));
  }

  async #isChallenge(kind: Ticket["kind"], sent: string, operator: Operator): Promise<boolean> {
    const ticket = await takeTicket(this.#stores, this.#clock, kind, sent);
    return ticket?.name === operator.name;
  }
}

/** Browsers bind passkeys to host names, never to addresses. */
function relyingParty(origin: string): string | Refusal {
  const host = new URL(origin).hostname;
  const isAddress = isIP(host) !== 0 || host.startsWith("[");
  return isAddress
    ? refuse("invalid_request", "Passkeys need a host name: open the console as localhost or by its name.")
    : host;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : "unreadable");
