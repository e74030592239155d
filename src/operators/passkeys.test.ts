import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { isRefusal, type Refusal } from "../kernel/errors.ts";
import { memoryControlStore } from "../stores/memory/control-store.ts";
import { Accounts } from "./operators.ts";
import { Passkeys } from "./passkeys.ts";
import type { Operator } from "./port.ts";
import { SoftwareAuthenticator } from "./software-authenticator.ts";

const origin = "https://weir.example";
const must = <T>(value: T): Exclude<T, Refusal> => {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Refusal>;
};

async function setUp() {
  const clock = new VirtualClock();
  const stores = memoryControlStore();
  const accounts = new Accounts({ stores, clock, cost: { n: 2, r: 1, p: 1 } });
  const operatorOf = async (name: string): Promise<Operator> =>
    must(await accounts.provision({ name, roles: ["admin"] }, { id: "cli", name: "cli" })).commit();
  const passkeys = new Passkeys({ stores, clock });
  const ada = await operatorOf("ada");
  const register = async (device: SoftwareAuthenticator, operator = ada) => {
    const options = must(await passkeys.registrationOptions(operator, origin));
    return passkeys.register(operator, device.register(options, origin), origin);
  };
  const signIn = async (device: SoftwareAuthenticator, name = "ada", at = origin) => {
    const options = must(await passkeys.authenticationOptions(name, origin));
    return passkeys.identify({ response: device.authenticate(options, at), origin });
  };
  return { clock, stores, accounts, passkeys, ada, operatorOf, register, signIn };
}

describe("passkeys", () => {
  it("sign in the operator who registered them", async () => {
    const { register, signIn, stores, ada } = await setUp();
    const device = new SoftwareAuthenticator();
    const pending = must(await register(device));
    expect(await stores.passkeys.of(ada.id)).toEqual([]);
    await pending.commit();
    expect(pending.act).toMatchObject({ act: "passkey.register", operator: { name: "ada" } });
    expect(must(await signIn(device))).toMatchObject({ name: "ada" });
    expect((await stores.passkeys.of(ada.id))[0]).toMatchObject({ counter: 1 });
    expect(must(await signIn(device))).toMatchObject({ name: "ada" });
  });

  it("refuse a challenge that was used, is too old, or belongs to another", async () => {
    const { clock, passkeys, register, signIn, operatorOf } = await setUp();
    const device = new SoftwareAuthenticator();
    await must(await register(device)).commit();
    const options = must(await passkeys.authenticationOptions("ada", origin));
    const response = device.authenticate(options, origin);
    must(await passkeys.identify({ response, origin }));
    device.counter = 9;
    const again = device.authenticate(options, origin);
    expect(await passkeys.identify({ response: again, origin })).toMatchObject({ code: "sign_in_failed" });

    const late = must(await passkeys.authenticationOptions("ada", origin));
    await clock.advance(5 * 60_000);
    expect(await passkeys.identify({ response: device.authenticate(late, origin), origin })).toMatchObject({
      code: "sign_in_failed",
    });

    await operatorOf("bob");
    expect(await signIn(device, "bob")).toMatchObject({ code: "sign_in_failed" });
    expect(must(await signIn(device))).toMatchObject({ name: "ada" });
  });

  it("refuse a response from another origin, a copied device, an unknown one and a disabled operator", async () => {
    const { accounts, register, signIn } = await setUp();
    const device = new SoftwareAuthenticator();
    await must(await register(device)).commit();
    const refused = { code: "sign_in_failed" };
    expect(await signIn(device, "ada", "https://evil.example")).toMatchObject(refused);
    expect(await signIn(new SoftwareAuthenticator("credential-1"))).toMatchObject(refused);
    expect(await signIn(new SoftwareAuthenticator("credential-2"))).toMatchObject(refused);
    must(await signIn(device));
    device.counter = 0;
    expect(await signIn(device)).toMatchObject(refused);
    await must(await accounts.disable("ada", { id: "cli", name: "cli" })).commit();
    device.counter = 50;
    expect(await signIn(device)).toMatchObject(refused);
  });

  it("are not registered with a challenge for signing in, nor at an address", async () => {
    const { passkeys, ada } = await setUp();
    const device = new SoftwareAuthenticator();
    const options = must(await passkeys.authenticationOptions("ada", origin));
    expect(await passkeys.register(ada, device.register(options, origin), origin)).toMatchObject({
      code: "invalid_request",
    });
    for (const address of ["http://127.0.0.1:8080", "http://[::1]:8080"])
      expect(await passkeys.registrationOptions(ada, address)).toMatchObject({ code: "invalid_request" });
    expect(await passkeys.registrationOptions(ada, "http://localhost:8080")).toMatchObject({ rp: { id: "localhost" } });
  });

  it("offer the same options for known and unknown names", async () => {
    const { passkeys, register } = await setUp();
    await must(await register(new SoftwareAuthenticator())).commit();
    const [known, unknown] = await Promise.all(
      ["ada", "eve"].map((name) => passkeys.authenticationOptions(name, origin)),
    );
    expect({ ...known, challenge: "" }).toEqual({ ...unknown, challenge: "" });
  });
});
