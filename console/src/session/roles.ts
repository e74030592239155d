/** What the roles may do, for what the console offers. The server decides; this only spares people a refusal. */
import type { Role } from "../api/types.ts";

const oneOf =
  (...able: Role[]) =>
  (held: readonly Role[]): boolean =>
    held.some((role) => able.includes(role));

export const mayOperate = oneOf("admin");
export const mayOpenContent = oneOf("reviewer", "auditor", "admin");
export const mayReadProofs = oneOf("operator", "approver", "reviewer", "auditor", "admin");
