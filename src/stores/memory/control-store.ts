/** The simple twin of the control plane's stores: gone with the process. */
import type { ControlStores, Operator, Passkey, StoredSession, Ticket } from "../../operators/index.ts";
import type { ApiKeyRecord, KeyStore } from "../../stages/identify/port.ts";

export function memoryControlStore(): ControlStores & { keys: KeyStore } {
  return { keys: keyStore(), ...operatorStores() };
}

function keyStore(): KeyStore {
  const records = new Map<string, ApiKeyRecord>();
  let version = 0;
  return {
    all: () => [...records.values()].map((r) => structuredClone(r)).sort((a, b) => (a.id < b.id ? -1 : 1)),
    insert(record) {
      if (records.has(record.id)) throw new RangeError(`there is an API key ${record.id} already`);
      records.set(record.id, structuredClone(record));
      version++;
    },
    update(id, change) {
      const record = records.get(id);
      if (!record) throw new RangeError(`there is no API key ${id} to change`);
      records.set(id, { ...record, ...change });
      version++;
    },
    version: () => version,
  };
}

const copy = <T>(record: T): T => structuredClone(record);

/** Removes the others; answers how many there were. */
function keep<T>(records: Map<string, T>, good: (record: T) => boolean): number {
  const gone = [...records].filter(([, record]) => !good(record));
  for (const [key] of gone) records.delete(key);
  return gone.length;
}

function operatorStores(): ControlStores {
  const operators = new Map<string, Operator>();
  const tickets = new Map<string, Ticket>();
  const sessions = new Map<string, StoredSession>();
  const passkeys = new Map<string, Passkey>();
  return {
    operators: {
      all: async () => [...operators.values()].map(copy).sort((a, b) => (a.name < b.name ? -1 : 1)),
      byId: async (id) => copy(operators.get(id)),
      byName: async (name) => copy([...operators.values()].find((o) => o.name === name)),
      async put(operator) {
        const other = [...operators.values()].find((o) => o.name === operator.name && o.id !== operator.id);
        if (other) throw new RangeError(`another operator is called ${operator.name}`);
        operators.set(operator.id, copy(operator));
      },
    },
    tickets: {
      async put(ticket) {
        tickets.set(`${ticket.kind}/${ticket.hash}`, copy(ticket));
      },
      async take(kind, hash) {
        const ticket = tickets.get(`${kind}/${hash}`);
        tickets.delete(`${kind}/${hash}`);
        return ticket;
      },
      purge: async (nowMs) => void keep(tickets, (t) => t.expires_at_ms >= nowMs),
    },
    sessions: {
      insert: async (session) => void sessions.set(session.hash, copy(session)),
      byHash: async (hash) => copy(sessions.get(hash)),
      async touch(hash, usedAtMs) {
        const session = sessions.get(hash);
        if (session) session.used_at_ms = Math.max(session.used_at_ms, usedAtMs);
      },
      remove: async (hash) => void sessions.delete(hash),
      removeAllOf: async (operatorId) => keep(sessions, (s) => s.operator_id !== operatorId),
      purge: async (createdBefore, usedBefore) =>
        void keep(sessions, (s) => s.created_at_ms >= createdBefore && s.used_at_ms >= usedBefore),
    },
    passkeys: {
      async insert(passkey) {
        if (passkeys.has(passkey.id)) throw new RangeError("this passkey is registered already");
        passkeys.set(passkey.id, copy(passkey));
      },
      byId: async (id) => copy(passkeys.get(id)),
      of: async (operatorId) =>
        [...passkeys.values()]
          .filter((p) => p.operator_id === operatorId)
          .map(copy)
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      async setCounter(id, counter) {
        const passkey = passkeys.get(id);
        if (passkey) passkey.counter = counter;
      },
    },
  };
}
