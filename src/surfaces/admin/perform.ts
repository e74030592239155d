/** Acts of operators: journaled durably, then done. */
import type { AdminMeta } from "../../kernel/decision.ts";
import type { Actor, Pending, Permission, Session } from "../../operators/index.ts";
import type { AdminDeps } from "./port.ts";

/** For acts on what runs: overrides, the cache. No role but admin holds it yet. */
export const operating: Permission = "keys.write";

export async function perform<T>(deps: AdminDeps, pending: Pick<Pending<T>, "act"> & { commit(): Promise<T> | T }) {
  await deps.record(pending.act);
  return pending.commit();
}

export const actorOf = ({ operator }: Session): Actor => ({ id: operator.id, name: operator.name });

export const actBy = (session: Session, act: Omit<AdminMeta, "operator">): AdminMeta => ({
  ...act,
  operator: actorOf(session),
});
