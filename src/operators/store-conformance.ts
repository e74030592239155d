/** What every set of control-plane stores must do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OperatorId } from "../kernel/ids.ts";
import type { ApiKeyRecord, KeyStore } from "../stages/identify/port.ts";
import type { ControlStores, Operator, Passkey, StoredSession, Ticket } from "./port.ts";

type Stores = ControlStores & { keys: KeyStore };

const operator = (id: string, name: string): Operator => ({
  id: id as OperatorId,
  name,
  roles: ["viewer"],
  created_at_ms: 5,
});
const key = (id: string): ApiKeyRecord => ({
  id,
  secret_hmac: "00",
  label: "branch",
  tenant: "retail",
  environment: "dev",
  principal: { type: "service", id: "branch" },
  use_cases: ["credit"],
  purposes: [],
  groups: [],
  created_at_ms: 1,
});
const session = (hash: string, change: Partial<StoredSession> = {}): StoredSession => ({
  hash,
  operator_id: "op_1" as OperatorId,
  csrf: "c",
  created_at_ms: 100,
  used_at_ms: 100,
  method: "password",
  ...change,
});
const ticket = (hash: string, expires_at_ms = 10): Ticket => ({ hash, kind: "link", name: "ada", expires_at_ms });

export function describeControlStores(name: string, open: () => { stores: Stores; close(): void }): void {
  describe(`${name} as control-plane stores`, () => {
    let stores: Stores;
    let close: () => void;
    beforeEach(() => void ({ stores, close } = open()));
    afterEach(() => close());

    it("keeps keys, changes them, and its version moves with every change", () => {
      const versions = [stores.keys.version()];
      stores.keys.insert(key("k1"));
      versions.push(stores.keys.version());
      stores.keys.update("k1", { expires_at_ms: 7 });
      versions.push(stores.keys.version());
      stores.keys.update("k1", { revoked_at_ms: 8 });
      versions.push(stores.keys.version());
      expect(new Set(versions).size).toBe(4);
      expect(stores.keys.version()).toBe(versions.at(-1));
      expect(stores.keys.all()).toEqual([{ ...key("k1"), expires_at_ms: 7, revoked_at_ms: 8 }]);
      expect(() => stores.keys.insert(key("k1"))).toThrow(/already|UNIQUE/);
      expect(() => stores.keys.update("k2", { revoked_at_ms: 8 })).toThrow(/k2/);
    });

    it("keeps operators by id and by unique name", async () => {
      await stores.operators.put(operator("op_1", "bob"));
      await stores.operators.put(operator("op_2", "ada"));
      await stores.operators.put({ ...operator("op_1", "bob"), disabled_at_ms: 9 });
      expect((await stores.operators.all()).map((o) => o.name)).toEqual(["ada", "bob"]);
      expect(await stores.operators.byName("bob")).toMatchObject({ id: "op_1", disabled_at_ms: 9 });
      expect(await stores.operators.byId("op_2")).toEqual(operator("op_2", "ada"));
      expect(await stores.operators.byName("eve")).toBeUndefined();
      await expect(stores.operators.put(operator("op_3", "ada"))).rejects.toThrow(/another operator|UNIQUE/);
    });

    it("gives a ticket to one taker only, of the right kind", async () => {
      await stores.tickets.put(ticket("h1"));
      expect(await stores.tickets.take("invitation", "h1")).toBeUndefined();
      const taken = await Promise.all([stores.tickets.take("link", "h1"), stores.tickets.take("link", "h1")]);
      expect(taken.filter(Boolean)).toEqual([ticket("h1")]);
    });

    it("purges tickets that expired", async () => {
      await stores.tickets.put(ticket("h1", 10));
      await stores.tickets.put(ticket("h2", 20));
      await stores.tickets.purge(20);
      expect(await stores.tickets.take("link", "h1")).toBeUndefined();
      expect(await stores.tickets.take("link", "h2")).toEqual(ticket("h2", 20));
    });

    it("keeps, touches and removes sessions", async () => {
      for (const hash of ["a", "b", "c"]) await stores.sessions.insert(session(hash));
      await stores.sessions.insert(session("d", { operator_id: "op_2" as OperatorId, created_at_ms: 50 }));
      await stores.sessions.touch("a", 300);
      await stores.sessions.touch("a", 200);
      expect(await stores.sessions.byHash("a")).toEqual(session("a", { used_at_ms: 300 }));
      await stores.sessions.remove("b");
      expect(await stores.sessions.byHash("b")).toBeUndefined();
      await stores.sessions.purge(60, 0);
      expect(await stores.sessions.byHash("d")).toBeUndefined();
      await stores.sessions.purge(60, 101);
      expect(await stores.sessions.byHash("c")).toBeUndefined();
      expect(await stores.sessions.removeAllOf("op_1")).toBe(1);
      expect(await stores.sessions.removeAllOf("op_1")).toBe(0);
    });

    it("keeps passkeys by credential and operator", async () => {
      const passkey: Passkey = {
        id: "cred",
        operator_id: "op_1" as OperatorId,
        public_key: "pk",
        counter: 0,
        transports: ["internal"],
        created_at_ms: 1,
      };
      await stores.passkeys.insert(passkey);
      await expect(stores.passkeys.insert(passkey)).rejects.toThrow(/already|UNIQUE/);
      await stores.passkeys.setCounter("cred", 4);
      expect(await stores.passkeys.byId("cred")).toEqual({ ...passkey, counter: 4 });
      expect(await stores.passkeys.of("op_1")).toHaveLength(1);
      expect(await stores.passkeys.of("op_2")).toEqual([]);
    });
  });
}

export const sampleKey = key;
