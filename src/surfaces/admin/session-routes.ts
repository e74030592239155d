/** Signing in and out. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { deleteCookie, setCookie } from "hono/cookie";
import type { z } from "zod";
import { isRefusal, type Refusal } from "../../kernel/errors.ts";
import { type Operator, type Session, sessionMs } from "../../operators/index.ts";
import { cookieName, originOf } from "./gate.ts";
import { perform } from "./perform.ts";
import type { AdminDeps } from "./port.ts";
import { type AdminContext, type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

type SessionAnswer = z.input<typeof schemas.session>;

export function sessionRoutes(deps: AdminDeps): Route[] {
  const signIn = async (
    http: AdminContext,
    found: Operator | Refusal,
    method: string,
  ): Promise<SessionAnswer | Refusal> => {
    if (isRefusal(found)) return found;
    const session = await perform(deps, deps.sessions.start(found, method));
    setCookie(http, cookieName, session.token, cookieFlags(deps, sessionMs / 1000));
    return sessionAnswer(deps, session);
  };
  return [
    route({
      method: "get",
      path: "/session",
      name: "getSession",
      summary: "The operator who is signed in.",
      access: "signed-in",
      answer: schemas.session,
      handle: async ({ session }) => sessionAnswer(deps, session),
    }),
    route({
      method: "post",
      path: "/session",
      name: "signIn",
      summary: "Signs in with a password.",
      access: "anyone",
      errors: ["sign_in_failed", "rate_limited"],
      body: schemas.passwordSignIn,
      answer: schemas.session,
      handle: async ({ http, body }) =>
        signIn(http, await deps.passwords.identify({ ...body, address: addressOf(http) }), deps.passwords.method),
    }),
    route({
      method: "post",
      path: "/session/token",
      name: "signInWithLink",
      summary: "Signs in with the token of a one-time link.",
      access: "anyone",
      errors: ["sign_in_failed"],
      body: schemas.tokenSignIn,
      answer: schemas.session,
      handle: async ({ http, body }) => signIn(http, await deps.links.identify(body), deps.links.method),
    }),
    route({
      method: "delete",
      path: "/session",
      name: "signOut",
      summary: "Ends the session.",
      access: "signed-in",
      async handle({ http, session }) {
        const pending = deps.sessions.end(session);
        // Signing out must work even when the journal cannot record it.
        await pending.commit();
        deleteCookie(http, cookieName, cookieFlags(deps, 0));
        await deps.record(pending.act);
      },
    }),
    route({
      method: "post",
      path: "/invitations/accept",
      name: "acceptInvitation",
      summary: "Sets the password of an invited operator and signs in.",
      access: "anyone",
      errors: ["sign_in_failed"],
      body: schemas.acceptance,
      answer: schemas.session,
      async handle({ http, body }) {
        const pending = await deps.accounts.accept(body);
        return isRefusal(pending) ? pending : signIn(http, await perform(deps, pending), "invitation");
      },
    }),
    route({
      method: "post",
      path: "/passkeys/registration/options",
      name: "passkeyRegistrationOptions",
      summary: "Options for navigator.credentials.create.",
      access: "signed-in",
      answer: schemas.webauthnOptions,
      handle: ({ http, session }) => deps.passkeys.registrationOptions(session.operator, originOf(deps, http)),
    }),
    route({
      method: "post",
      path: "/passkeys/registration",
      name: "registerPasskey",
      summary: "Adds a passkey to the operator who is signed in.",
      access: "signed-in",
      body: schemas.webauthnAnswer,
      answer: schemas.registered,
      async handle({ http, session, body }) {
        const response = body as unknown as RegistrationResponseJSON;
        const pending = await deps.passkeys.register(session.operator, response, originOf(deps, http));
        return isRefusal(pending) ? pending : { id: (await perform(deps, pending)).id };
      },
    }),
    route({
      method: "post",
      path: "/passkeys/authentication/options",
      name: "passkeyAuthenticationOptions",
      summary: "Options for navigator.credentials.get; the same for known and unknown names.",
      access: "anyone",
      body: schemas.passkeyName,
      answer: schemas.webauthnOptions,
      handle: ({ http, body }) => deps.passkeys.authenticationOptions(body.name, originOf(deps, http)),
    }),
    route({
      method: "post",
      path: "/passkeys/authentication",
      name: "signInWithPasskey",
      summary: "Signs in with a passkey.",
      access: "anyone",
      errors: ["sign_in_failed"],
      body: schemas.webauthnAnswer,
      answer: schemas.session,
      async handle({ http, body }) {
        const response = body as unknown as AuthenticationResponseJSON;
        const found = await deps.passkeys.identify({ response, origin: originOf(deps, http) });
        return signIn(http, found, deps.passkeys.method);
      },
    }),
  ];
}

function sessionAnswer(deps: AdminDeps, { operator, csrf }: Session): SessionAnswer {
  const { id, name, roles } = operator;
  return { operator: { id, name, roles }, csrf, ...deps.about };
}

const cookieFlags = (deps: AdminDeps, maxAge: number) =>
  ({ path: "/", httpOnly: true, sameSite: "Strict", secure: deps.origins[0].startsWith("https:"), maxAge }) as const;

/** Forwarded-for headers are not believed: anyone can send them. */
const addressOf = (http: AdminContext): string => http.env?.incoming?.socket.remoteAddress ?? "unknown";
