import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { isRefusal, type Refusal } from "../kernel/errors.ts";
import { memoryControlStore } from "../stores/memory/control-store.ts";
import { Accounts, type Actor, type Pending } from "./operators.ts";
import { allows, permissions, permissionsOf, roles, rolesWith } from "./roles.ts";
import { checkPassword, hashPassword, type ScryptCost } from "./secrets.ts";
import { isCsrf, Sessions } from "./sessions.ts";
import { linkProvider, passwordProvider } from "./sign-in.ts";

const cost: ScryptCost = { n: 2, r: 1, p: 1 };
const cli: Actor = { id: "cli", name: "cli" };
const password = "correct horse battery";
const minute = 60_000;

function setUp() {
  const clock = new VirtualClock();
  const stores = memoryControlStore();
  const accounts = new Accounts({ stores, clock, cost });
  const sessions = new Sessions({ stores, clock });
  const passwords = passwordProvider({ stores, clock, cost });
  const links = linkProvider({ stores, clock });
  const invited = async (name: string) => {
    const token = await done(accounts.invite({ name, roles: ["reviewer"] }, cli));
    return done(accounts.accept({ token, password }));
  };
  return { clock, stores, accounts, sessions, passwords, links, invited };
}

async function done<T>(pending: Promise<Pending<T> | Refusal>): Promise<T> {
  const made = await pending;
  if (isRefusal(made)) throw new Error(`${made.code}: ${made.message}`);
  return made.commit();
}
const codeOf = async (act: Promise<object>): Promise<string | undefined> => {
  const result = await act;
  return isRefusal(result) ? result.code : undefined;
};

describe("invitations", () => {
  it("make an operator with the invited roles, once, and say what to journal", async () => {
    const { accounts, stores } = setUp();
    const pending = await accounts.invite({ name: " Ada ", roles: ["reviewer", "auditor", "reviewer"] }, cli);
    if (isRefusal(pending)) throw new Error(pending.message);
    expect(pending.act).toEqual({
      act: "operator.invite",
      operator: cli,
      on: "operator:ada",
      detail: { roles: ["reviewer", "auditor"] },
    });
    const token = await pending.commit();
    const operator = await done(accounts.accept({ token, password }));
    expect(operator).toMatchObject({ name: "ada", roles: ["reviewer", "auditor"] });
    expect(JSON.stringify(await stores.operators.all())).not.toContain(password);
    expect(await codeOf(accounts.accept({ token, password }))).toBe("sign_in_failed");
  });

  it("do nothing before they are committed", async () => {
    const { accounts, stores } = setUp();
    await accounts.invite({ name: "ada", roles: ["admin"] }, cli);
    await accounts.provision({ name: "ada", roles: ["admin"] }, cli);
    expect(await stores.operators.all()).toEqual([]);
  });

  it("expire after seven days, and a weak password does not spend them", async () => {
    const { accounts, clock } = setUp();
    const token = await done(accounts.invite({ name: "ada", roles: ["viewer"] }, cli));
    expect(await codeOf(accounts.accept({ token, password: "eleven char" }))).toBe("invalid_request");
    expect(await codeOf(accounts.accept({ token, password: "x".repeat(257) }))).toBe("invalid_request");
    await clock.advance(7 * 24 * 60 * minute);
    expect(await codeOf(accounts.accept({ token, password }))).toBe("sign_in_failed");
  });

  it.each([
    ["a", ["viewer"]],
    ["no spaces", ["viewer"]],
    ["ada", []],
    ["ada", ["root"]],
    ["ada", ["viewer", "root"]],
    ["<b>", ["viewer"]],
  ])("refuse name %j with roles %j", async (name, wanted) => {
    const { accounts } = setUp();
    expect(await codeOf(accounts.invite({ name, roles: wanted }, cli))).toBe("invalid_request");
  });

  it("to a known operator replace password and roles and end the sessions", async () => {
    const { accounts, sessions, passwords, invited } = setUp();
    const session = await sessions.start(await invited("ada"), "password").commit();
    const token = await done(accounts.invite({ name: "ada", roles: ["viewer"] }, cli));
    await done(accounts.accept({ token, password: "another long password" }));
    expect(await sessions.find(session.token)).toBeUndefined();
    expect(await codeOf(passwords.identify({ name: "ada", password, address: "1" }))).toBe("sign_in_failed");
    const found = await passwords.identify({ name: "ada", password: "another long password", address: "1" });
    expect(found).toMatchObject({ roles: ["viewer"] });
  });
});

describe("passwords", () => {
  it("hold for the right text only, and not for an unknown operator", async () => {
    const clock = new VirtualClock();
    const stored = await hashPassword(clock, password, cost);
    expect(await checkPassword(password, stored, cost)).toBe(true);
    expect(await checkPassword(`${password} `, stored, cost)).toBe(false);
    expect(await checkPassword(password, undefined, cost)).toBe(false);
    expect(await checkPassword(password, "scrypt$broken", cost)).toBe(false);
    expect(await hashPassword(clock, password, cost)).not.toBe(stored);
  });

  it("sign in a known operator; unknown, wrong and disabled look alike", async () => {
    const { accounts, passwords, invited } = setUp();
    await invited("ada");
    await invited("bob");
    await done(accounts.disable("bob", cli));
    expect(await passwords.identify({ name: "ADA", password, address: "1" })).toMatchObject({ name: "ada" });
    const refusals = [];
    for (const [name, tried] of [
      ["ada", "wrong password"],
      ["eve", password],
      ["bob", password],
      ["\u0000", password],
    ] as const)
      refusals.push(await passwords.identify({ name, password: tried, address: "1" }));
    expect(new Set(refusals.map((r) => JSON.stringify(r))).size).toBe(1);
    expect(refusals[0]).toMatchObject({ code: "sign_in_failed" });
  });

  it.each(["ada", "eve"])("of %s cannot be guessed quickly, from one address", async (name) => {
    const { clock, passwords, invited } = setUp();
    await invited("ada");
    const guess = () => passwords.identify({ name, password: "wrong password!", address: "1" });
    for (let n = 0; n < 5; n++) expect(await codeOf(guess())).toBe("sign_in_failed");
    let tries = 0;
    const end = clock.now() + 60 * minute;
    while (clock.now() < end) {
      const result = await guess();
      if (!isRefusal(result)) throw new Error("signed in");
      if (result.code === "rate_limited") await clock.advance(result.retryAfterMs!);
      else tries++;
    }
    // 1 + 2 + 4 … up to 15 minutes each: some dozen, not thousands.
    expect(tries).toBeLessThan(16);
    expect(await codeOf(passwords.identify({ name, password, address: "2" }))).toBe(
      name === "ada" ? undefined : "sign_in_failed",
    );
  });

  it("count tries in flight: parallel guesses are slowed down too", async () => {
    const { passwords, invited } = setUp();
    await invited("ada");
    const guesses = Array.from({ length: 12 }, () =>
      passwords.identify({ name: "ada", password: "wrong", address: "1" }),
    );
    const codes = await Promise.all(guesses.map(codeOf));
    expect(codes.filter((c) => c === "sign_in_failed")).toHaveLength(5);
    expect(codes.filter((c) => c === "rate_limited")).toHaveLength(7);
  });

  it("of many names cannot be sprayed from one address", async () => {
    const { passwords } = setUp();
    const codes = [];
    for (let n = 0; n < 25; n++)
      codes.push(await codeOf(passwords.identify({ name: `user${n}`, password, address: "1" })));
    expect(codes.filter((c) => c === "rate_limited")).toHaveLength(5);
  });
});

describe("links", () => {
  it("sign in once, within 15 minutes", async () => {
    const { accounts, clock, links, invited } = setUp();
    await invited("ada");
    const token = await done(accounts.createLink("ada", cli));
    const both = await Promise.all([links.identify({ token }), links.identify({ token })]);
    expect(both.filter((r) => !isRefusal(r))).toHaveLength(1);
    const late = await done(accounts.createLink("ada", cli));
    await clock.advance(15 * minute);
    expect(await codeOf(links.identify({ token: late }))).toBe("sign_in_failed");
    expect(await codeOf(links.identify({ token: "nonsense" }))).toBe("sign_in_failed");
    expect(await codeOf(accounts.createLink("eve", cli))).toBe("not_found");
  });
  it("are no invitations, nor the other way round", async () => {
    const { accounts, links, invited } = setUp();
    await invited("ada");
    const link = await done(accounts.createLink("ada", cli));
    const invitation = await done(accounts.invite({ name: "ada", roles: ["admin"] }, cli));
    expect(await codeOf(accounts.accept({ token: link, password }))).toBe("sign_in_failed");
    expect(await codeOf(links.identify({ token: invitation }))).toBe("sign_in_failed");
  });
  it("stop working when the operator is disabled", async () => {
    const { accounts, links, invited } = setUp();
    await invited("ada");
    const token = await done(accounts.createLink("ada", cli));
    await done(accounts.disable("ada", cli));
    expect(await codeOf(links.identify({ token }))).toBe("sign_in_failed");
    expect(await codeOf(accounts.createLink("ada", cli))).toBe("not_found");
  });
});

describe("sessions", () => {
  it("last an hour without use and twelve hours with it", async () => {
    const { clock, sessions, invited } = setUp();
    const { token } = await sessions.start(await invited("ada"), "password").commit();
    for (let n = 0; n < 13; n++) {
      expect(await sessions.find(token)).toMatchObject({ operator: { name: "ada" } });
      await clock.advance(55 * minute);
    }
    expect(await sessions.find(token)).toMatchObject({ method: "password" });
    await clock.advance(5 * minute);
    expect(await sessions.find(token)).toBeUndefined();
    const idle = await sessions.start(await invited("bob"), "link").commit();
    await clock.advance(59 * minute);
    expect(await sessions.find(idle.token, "look")).toBeDefined();
    await clock.advance(minute);
    expect(await sessions.find(idle.token)).toBeUndefined();
  });

  it("keep no token, end on sign-out, all at once, and with the operator", async () => {
    const { accounts, sessions, stores, invited } = setUp();
    const ada = await invited("ada");
    const open = async () => sessions.start(ada, "password").commit();
    const [one, two, three] = [await open(), await open(), await open()];
    expect(JSON.stringify(await stores.sessions.byHash(one.hash))).not.toContain(one.token);
    await sessions.end(one).commit();
    expect(await sessions.find(one.token)).toBeUndefined();
    expect(await sessions.find(two.token)).toBeDefined();
    expect(await sessions.endAll(ada, cli).commit()).toBe(2);
    expect(await sessions.find(three.token)).toBeUndefined();
    const four = await open();
    await done(accounts.disable("ada", cli));
    expect(await sessions.find(four.token)).toBeUndefined();
  });

  it("hold their own CSRF token only", async () => {
    const { sessions, invited } = setUp();
    const ada = await invited("ada");
    const one = await sessions.start(ada, "password").commit();
    const two = await sessions.start(ada, "password").commit();
    expect(isCsrf(one, one.csrf)).toBe(true);
    expect([two.csrf, "", undefined, one.csrf.slice(1)].map((sent) => isCsrf(one, sent))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("roles", () => {
  it("all read metadata; only those named open content, see proofs or change keys and operators", () => {
    const holders = Object.fromEntries(permissions.map((p) => [p, rolesWith(p)]));
    expect(holders["metadata.read"]).toEqual([...roles]);
    expect(holders["content.open"]).toEqual(["reviewer", "auditor", "admin"]);
    expect(holders["keys.write"]).toEqual(["admin"]);
    expect(holders["operators.write"]).toEqual(["admin"]);
    expect(holders["live.read"]).not.toContain("viewer");
    expect(permissionsOf.admin).toEqual(permissions);
    expect(allows(["viewer", "auditor"], "content.open")).toBe(true);
    expect(allows([], "metadata.read")).toBe(false);
  });
});
