/** Passkeys, where the browser knows them. The library is loaded on first use: most visits need none of it. */
import { call } from "../api/client.ts";
import type { Session } from "../api/types.ts";

type AuthenticationOptions = Parameters<typeof import("@simplewebauthn/browser").startAuthentication>[0]["optionsJSON"];
type RegistrationOptions = Parameters<typeof import("@simplewebauthn/browser").startRegistration>[0]["optionsJSON"];

/** Passkeys are bound to a host name: an address made of digits has none. */
export const passkeysWork = (): boolean =>
  typeof PublicKeyCredential === "function" && isSecureContext && !/^[\d.]+$|^\[/.test(location.hostname);

export async function signInWithPasskey(name: string): Promise<Session> {
  const optionsJSON = await call<AuthenticationOptions>("/passkeys/authentication/options", {
    method: "POST",
    body: { name },
  });
  const { startAuthentication } = await import("@simplewebauthn/browser");
  return call<Session>("/passkeys/authentication", {
    method: "POST",
    body: await startAuthentication({ optionsJSON }),
  });
}

export async function addPasskey(): Promise<void> {
  const optionsJSON = await call<RegistrationOptions>("/passkeys/registration/options", { method: "POST" });
  const { startRegistration } = await import("@simplewebauthn/browser");
  await call("/passkeys/registration", { method: "POST", body: await startRegistration({ optionsJSON }) });
}
