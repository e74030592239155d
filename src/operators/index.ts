/**
 * Operators are the named people who run Weir: this folder decides who they are, how they sign in, how long they stay
 * signed in and what their roles allow. Every change comes as a pending act that the caller journals before it commits.
 * It never answers HTTP, never decides about API keys, and never keeps a secret in the clear.
 */
export { type Actor, Accounts, type Pending } from "./operators.ts";
export { Passkeys } from "./passkeys.ts";
export type * from "./port.ts";
export { allows, type Permission, type Role, roles, rolesWith } from "./roles.ts";
export { maxPasswordLength, minPasswordLength, strongScrypt } from "./secrets.ts";
export { isCsrf, type Session, sessionMs, Sessions } from "./sessions.ts";
export { type IdentityProvider, linkProvider, type PasswordProof, passwordProvider } from "./sign-in.ts";
