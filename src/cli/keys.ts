import { resolve } from "node:path";
import type { Command } from "commander";
import { type Environment, environments } from "../kernel/principal.ts";
import { isRefusal } from "../kernel/errors.ts";
import { femtoUsdOf, roundToNano } from "../kernel/money.ts";
import { budgetWindows, priorityClasses } from "../kernel/snapshot.ts";
import type { KeyBounds } from "../stages/identify/index.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { withData } from "./options.ts";

interface MintCommand {
  data: string;
  tenant: string;
  label: string;
  useCase: string[];
  purpose?: string[];
  group?: string[];
  environment: string;
  expiresInDays?: string;
  requestsPerMinute?: string;
  tokensPerMinute?: string;
  concurrency?: string;
  budget?: string[];
  priority?: string;
}

export function addKeys(program: Command): void {
  const keys = program.command("keys").description("API keys");
  withData(keys.command("mint").description("make a key; it is printed once"))
    .requiredOption("--tenant <name>", "the tenant that it acts for")
    .requiredOption("--label <text>", "what it is for; also the principal's id")
    .option("--use-case <names...>", "use cases that it may call", ["*"])
    .option("--purpose <names...>", "purposes that it may state")
    .option("--group <names...>", "groups whose passages it may read")
    .option("--environment <name>", `one of ${environments.join(", ")}`, "dev")
    .option("--expires-in-days <days>", "when it ends; default: never")
    .option("--requests-per-minute <n>", "most requests a minute of this key")
    .option("--tokens-per-minute <n>", "most tokens a minute of this key")
    .option("--concurrency <n>", "most requests at once of this key")
    .option("--budget <usd/window...>", "money that it may spend, e.g. 50/day or 400/month")
    .option("--priority <class>", `lowers its class: ${priorityClasses.join(", ")}`)
    .action((options: MintCommand) =>
      inPlane(options.data, environmentOf(options.environment), (plane) => mint(plane, options)),
    );
  withData(keys.command("list").description("all keys, without their secrets")).action((options: { data: string }) =>
    inPlane(options.data, "dev", async (plane) => list(plane)),
  );
  withData(keys.command("rotate").description("replace a key; the old one works on for a while"))
    .argument("<id>")
    .option("--overlap-minutes <minutes>", "how long the old key still works", "60")
    .action((id: string, options: { data: string; overlapMinutes: string }) =>
      inPlane(options.data, "dev", async (plane) => {
        const pending = plane.keys.rotate(id, Number(options.overlapMinutes) * 60_000);
        if (isRefusal(pending)) throw new Error(pending.message);
        await plane.record({ ...pending.act, operator: plane.actor });
        process.stdout.write(`${pending.commit().key}\n`);
      }),
    );
  withData(keys.command("revoke").description("end a key at once, in every running server"))
    .argument("<id>")
    .requiredOption("--reason <text>", "why; it is recorded")
    .action((id: string, options: { data: string; reason: string }) =>
      inPlane(options.data, "dev", async (plane) => {
        const pending = plane.keys.revoke(id, options.reason);
        if (isRefusal(pending)) throw new Error(pending.message);
        pending.commit();
        await plane.record({ ...pending.act, operator: plane.actor });
        process.stdout.write(`revoked ${id}\n`);
      }),
    );
}

async function inPlane(
  data: string,
  environment: Environment,
  act: (plane: ControlPlane) => Promise<void>,
): Promise<void> {
  const plane = await openControlPlane(resolve(data), environment);
  try {
    await act(plane);
  } finally {
    await plane.close();
  }
}

function environmentOf(text: string): Environment {
  const known = environments.find((environment) => environment === text);
  if (!known) throw new Error(`"${text}" is no environment; use one of ${environments.join(", ")}`);
  return known;
}

async function mint(plane: ControlPlane, options: MintCommand): Promise<void> {
  const pending = plane.keys.mint({
    label: options.label,
    tenant: options.tenant,
    principal: { type: "service", id: options.label },
    use_cases: options.useCase,
    purposes: options.purpose,
    groups: options.group,
    expires_in_days:
      options.expiresInDays === undefined ? undefined : countOf("--expires-in-days", options.expiresInDays),
    bounds: boundsOf(options),
  });
  await plane.record({ ...pending.act, operator: plane.actor });
  const { key, record } = pending.commit();
  process.stderr.write(`Key ${record.id} for ${record.tenant} (${record.environment}). It is shown only now:\n`);
  process.stdout.write(`${key}\n`);
}

function boundsOf(options: MintCommand): KeyBounds {
  const { requestsPerMinute, tokensPerMinute, concurrency, budget, priority } = options;
  const known = priorityClasses.find((one) => one === priority);
  if (priority !== undefined && !known)
    throw new Error(`--priority: "${priority}" is no class; use one of ${priorityClasses.join(", ")}`);
  return {
    ...(requestsPerMinute !== undefined && {
      requests_per_minute: countOf("--requests-per-minute", requestsPerMinute),
    }),
    ...(tokensPerMinute !== undefined && { tokens_per_minute: countOf("--tokens-per-minute", tokensPerMinute) }),
    ...(concurrency !== undefined && { concurrency: countOf("--concurrency", concurrency) }),
    ...(budget !== undefined && { budgets: budget.map(budgetOf) }),
    ...(known && { priority: known }),
  };
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${option}: "${text}" is no whole number above 0`);
  return count;
}

/** `50/day`: an amount in USD and its window. */
function budgetOf(text: string): NonNullable<KeyBounds["budgets"]>[number] {
  const [, usd, window] = /^([\d.]+)\/(\w+)$/.exec(text) ?? [];
  const per = budgetWindows.find((one) => one === window);
  if (usd === undefined || !per)
    throw new Error(`--budget: "${text}" is no budget; write USD/WINDOW, e.g. 50/day (${budgetWindows.join(", ")})`);
  return { nano_usd: roundToNano(femtoUsdOf(usd)), per };
}

function list(plane: ControlPlane): void {
  for (const key of plane.keys.list()) {
    const ended =
      key.revoked_at_ms !== undefined
        ? "revoked"
        : key.expires_at_ms !== undefined
          ? `expires ${new Date(key.expires_at_ms).toISOString()}`
          : "no end";
    process.stdout.write(
      [key.id, key.environment, key.tenant, key.label, key.use_cases.join(","), ended].join("\t") + "\n",
    );
  }
}
