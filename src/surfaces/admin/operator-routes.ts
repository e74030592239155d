/** The people who operate this install. */
import { isRefusal } from "../../kernel/errors.ts";
import { actorOf, perform } from "./perform.ts";
import type { AdminDeps } from "./port.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function operatorRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/operators",
      name: "listOperators",
      summary: "Named accounts and their roles.",
      access: "operators.read",
      answer: schemas.operators,
      async handle() {
        const operators = (await deps.accounts.list()).map(({ id, name, roles, created_at_ms, disabled_at_ms }) => ({
          id,
          name,
          roles,
          created_at_ms,
          ...(disabled_at_ms !== undefined && { disabled_at_ms }),
        }));
        return { operators };
      },
    }),
    route({
      method: "post",
      path: "/operators/invitations",
      name: "inviteOperator",
      summary: "Makes an invitation link, valid once and for seven days.",
      access: "operators.write",
      body: schemas.invitationBody,
      answer: schemas.invitation,
      async handle({ session, body }) {
        const pending = await deps.accounts.invite(body, actorOf(session));
        if (isRefusal(pending)) return pending;
        return { link: `${deps.origins[0]}/console/#invite=${await perform(deps, pending)}` };
      },
    }),
  ];
}
