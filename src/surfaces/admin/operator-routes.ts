/** The people who operate this install. */
import { isRefusal, refuse } from "../../kernel/errors.ts";
import { allows, type Operator, type Session } from "../../operators/index.ts";
import { refuseRole } from "./gate.ts";
import { actBy, actorOf, perform } from "./perform.ts";
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
    route({
      method: "post",
      path: "/operators/:id/disable",
      name: "disableOperator",
      summary: "Ends an operator's sessions and lets them sign in no more.",
      access: "operators.write",
      errors: ["not_found"],
      body: schemas.reasonBody,
      async handle({ id, session, body }) {
        const operator = await operatorOf(deps, (each) => each.id === id);
        if (!operator) return noOperator();
        if (operator.id === session.operator.id)
          return refuse("invalid_request", "You can't disable yourself; another admin has to.", { param: "id" });
        const pending = await deps.accounts.disable(operator.name, actorOf(session));
        if (isRefusal(pending)) return pending;
        await perform(deps, { ...pending, act: { ...pending.act, detail: { reason: body.reason } } });
        return undefined;
      },
    }),
    ...passkeyRoutes(deps),
  ];
}

function passkeyRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/passkeys",
      name: "listPasskeys",
      summary: "Your passkeys, or with the role for it those of another operator.",
      access: "signed-in",
      errors: ["not_found", "role_required"],
      query: schemas.passkeyQuery,
      answer: schemas.passkeys,
      async handle({ session, query }) {
        const name = query.operator ?? session.operator.name;
        const forbidden = name === session.operator.name ? undefined : refuseRole(session, "operators.read");
        if (forbidden) return forbidden;
        const operator = await operatorOf(deps, (each) => each.name === name);
        if (!operator) return noOperator();
        const passkeys = await deps.passkeyList.of(operator.id);
        return {
          passkeys: passkeys.map(({ id, created_at_ms, transports }) => ({
            id,
            operator: operator.name,
            created_at_ms,
            transports,
          })),
        };
      },
    }),
    route({
      method: "post",
      path: "/passkeys/:id/revoke",
      name: "revokePasskey",
      summary: "Removes one of your passkeys, or with the role for it another operator's.",
      access: "signed-in",
      errors: ["not_found"],
      body: schemas.reasonBody,
      async handle({ id, session, body }) {
        const passkey = await deps.passkeyList.byId(id);
        const owner = passkey && (await operatorOf(deps, (each) => each.id === passkey.operator_id));
        // Who may not revoke others' learns nothing of which there are.
        if (!passkey || !owner || !mayRevoke(session, owner))
          return refuse("not_found", "There is no passkey with this id.", { param: "id" });
        const act = { act: "passkey.revoke", on: `operator:${owner.name}`, detail: { reason: body.reason } };
        await deps.record(actBy(session, act));
        await deps.passkeyList.remove(id);
        return undefined;
      },
    }),
  ];
}

const mayRevoke = ({ operator }: Session, owner: Operator): boolean =>
  owner.id === operator.id || allows(operator.roles, "operators.write");

const operatorOf = async (deps: AdminDeps, is: (each: Operator) => boolean): Promise<Operator | undefined> =>
  (await deps.accounts.list()).find(is);

const noOperator = () => refuse("not_found", "There is no such operator.", { param: "operator" });
