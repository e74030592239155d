import { resolve } from "node:path";
import type { Command } from "commander";
import { roles } from "../operators/index.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { withData } from "./options.ts";

export function addOperators(program: Command): void {
  const operators = program.command("operators").description("named accounts of the console and the admin API");
  const origin = "--origin <url>";
  withData(operators.command("invite").description("make an invitation link; valid for seven days"))
    .argument("<name>", "the operator's name")
    .requiredOption("--roles <names...>", `of ${Object.keys(roles).join(", ")}`)
    .option(origin, "where the console is reached", "http://127.0.0.1:8080")
    .action((name: string, options: { data: string; roles: string[]; origin: string }) =>
      inPlane(options.data, async (plane) => {
        const token = await plane.perform(await plane.accounts.invite({ name, roles: options.roles }, plane.actor));
        process.stdout.write(`${options.origin}/console/#invite=${token}\n`);
      }),
    );
  withData(operators.command("link").description("make a one-time sign-in link; valid for 15 minutes"))
    .argument("<name>")
    .option(origin, "where the console is reached", "http://127.0.0.1:8080")
    .action((name: string, options: { data: string; origin: string }) =>
      inPlane(options.data, async (plane) => {
        const token = await plane.perform(await plane.accounts.createLink(name, plane.actor));
        process.stdout.write(`${options.origin}/console/#token=${token}\n`);
      }),
    );
  withData(operators.command("disable").description("end an account and its sessions"))
    .argument("<name>")
    .action((name: string, options: { data: string }) =>
      inPlane(options.data, async (plane) => {
        await plane.perform(await plane.accounts.disable(name, plane.actor));
        process.stdout.write(`disabled ${name}\n`);
      }),
    );
  withData(operators.command("list").description("all accounts")).action((options: { data: string }) =>
    inPlane(options.data, async (plane) => {
      for (const operator of await plane.accounts.list())
        process.stdout.write(
          `${operator.name}\t${operator.roles.join(",")}\t${operator.disabled_at_ms === undefined ? "" : "disabled"}\n`,
        );
    }),
  );
}

async function inPlane(data: string, act: (plane: ControlPlane) => Promise<void>): Promise<void> {
  const plane = await openControlPlane(resolve(data), "dev");
  try {
    await act(plane);
  } finally {
    await plane.close();
  }
}
